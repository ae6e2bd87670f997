import { expect, test } from "vitest";
import type { Chosen } from "./chosen";
import { grouped, hasMirax } from "./severalFiles";

function chosen(path: string, content = path): Chosen {
  return { path, file: new File([content], path.split("/").at(-1) ?? "") };
}

test("a slide is sent with the folder beside it, behind each other, in an order that is always the same", async () => {
  const files = ["c/K26/Slidedat.ini", "c/K26.mrxs", "c/K26/Index.dat"].map((path) => chosen(path));

  for (const order of [files, files.toReversed()]) {
    const [one] = grouped(order).slides;

    expect(one?.lacks).toBeUndefined();
    expect(one?.slide.folder).toEqual([
      { name: "Index.dat", bytes: 15 },
      { name: "Slidedat.ini", bytes: 18 },
    ]);
    expect(await one?.slide.slice(0, one.slide.size).text()).toBe("c/K26.mrxsc/K26/Index.datc/K26/Slidedat.ini");
  }
});

test.each([
  ["nothing beside it", []],
  ["another's folder", ["K27/Index.dat"]],
  ["a folder within its folder", ["K26/old/Index.dat"]],
  ["a folder without what names the files", ["K26/Index.dat"]],
])("a slide with %s lacks its folder", (_, others) => {
  expect(grouped(["K26.mrxs", ...others].map((path) => chosen(path))).slides[0]?.lacks).toBe("folder");
});

test("a folder whose slide was left behind says so, and its own files are nobody else's", () => {
  const paths = ["c/K26/Slidedat.ini", "c/K26/Data0000.dat", "c/K26/IM1", "c/K26.mrx", "c/K27/IM1", "Slidedat.ini"];

  const { slides, rest } = grouped(paths.map((path) => chosen(path)));

  expect(slides).toMatchObject([{ slide: { name: "K26.mrxs", size: 0 }, lacks: "slide" }]);
  expect(rest.map(({ path }) => path)).toEqual(["c/K26/IM1", "c/K26.mrx", "c/K27/IM1", "Slidedat.ini"]);
});

test("names that the node does not take are left out", () => {
  const paths = ["K26.MRXS", "K26/slidedat.ini", "K26/Ghi chú.txt", `K26/${"a".repeat(129)}`];

  const { slides, rest } = grouped(paths.map((path) => chosen(path)));

  expect(slides[0]).toMatchObject({ lacks: undefined, slide: { folder: [{ name: "slidedat.ini" }] } });
  expect(rest).toEqual([]);
});

/** The directory of a zip with files of these names, behind some bytes. */
function aZip(names: readonly string[], { bytes, comment = "" }: { bytes?: number; comment?: string } = {}): Blob {
  const entries = names.map((name) => {
    const entry = new Uint8Array(46 + name.length);
    const view = new DataView(entry.buffer);
    view.setUint32(0, 0x02014b50, true);
    view.setUint16(28, name.length, true);
    entry.set(
      [...name].map((one) => one.charCodeAt(0)),
      46,
    );
    return entry;
  });
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint32(12, bytes ?? entries.reduce((sum, one) => sum + one.length, 0), true);
  end.setUint32(16, 9, true);
  return new Blob(["PK\x03\x04 some", ...entries, end.buffer, comment]);
}

test("a zip is asked for the names in its directory", async () => {
  expect(await hasMirax(aZip(["a/", "a/K26.mrxs"]))).toBe(true);
  expect(await hasMirax(aZip(["K26.MRXS", "b"], { comment: "a comment" }))).toBe(true);
  expect(await hasMirax(aZip(["IM1", "mrxs.txt"]))).toBe(false);
  expect(await hasMirax(aZip(["K26.mrxs"], { bytes: 5_000_000 }))).toBe(false);
  expect(await hasMirax(aZip(["K26.mrxs"], { bytes: 40 }))).toBe(false);
  expect(await hasMirax(new Blob(["PK\x03\x04"]))).toBe(false);
});
