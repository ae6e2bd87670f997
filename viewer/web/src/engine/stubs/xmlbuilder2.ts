// Stands in for xmlbuilder2, which only vtk.js' XML readers and writers use; the room reads no XML.

export function create(): never {
  throw new Error("XML is not supported here");
}

export default { create };
