// Which images a part of a document is about (Referenced Image Sequence, PS3.3 10.2). Pure.

import { items, type JsonDataSet, text } from "../frames/dicomJson";

/** SOP Instance UIDs. */
export function imagesIn(group: JsonDataSet): ReadonlySet<string> {
  return new Set(items(group, "00081140").flatMap((image) => text(image, "00081155") ?? []));
}
