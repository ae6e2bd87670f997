import { expect, test } from "vitest";
import type { ReviewSheet } from "../api/types";
import { partOf, stopsOf, stripOf, unseenOf } from "./stops";

function sheet(number: number, kind: ReviewSheet["kind"], firstFrame: number, seen = false): ReviewSheet {
  return { number, kind, firstFrame, lastFrame: firstFrame, top: 0, rows: 4, columns: 4, deep: false, seen };
}

test("what must be seen comes first, then the frames that were not among it", () => {
  const stops = stopsOf([sheet(1, "brightest", 1), sheet(2, "darkest", 1), sheet(3, "frame", 4)], 4);

  expect(stops.map((stop) => (stop.kind === "sheet" ? `sheet ${stop.sheet.number}` : `frame ${stop.frame}`))).toEqual([
    "sheet 1",
    "sheet 2",
    "sheet 3",
    "frame 1",
    "frame 2",
    "frame 3",
  ]);
});

test("the pages of a document are one strip, of which one page is on the screen", () => {
  const pages = [
    { ...sheet(1, "page", 1), rows: 30, columns: 20 },
    { ...sheet(2, "page", 2), top: 30, rows: 20, columns: 30 },
  ];
  const stops = stopsOf(pages, 1);

  expect(stops).toHaveLength(2);
  expect(stripOf(pages)).toEqual({ rows: 50, columns: 30 });
  expect(stops[1] && partOf(stops[1], stripOf(pages))).toMatchObject({ top: 30, rows: 20, columns: 30 });
});

test("a single frame is one picture", () => {
  expect(stopsOf([sheet(1, "frame", 1)], 1)).toHaveLength(1);
});

test("what was seen before, or here, is not asked for again", () => {
  const sheets = [sheet(1, "brightest", 1, true), sheet(2, "darkest", 1), sheet(3, "frame", 4)];

  expect(unseenOf(sheets, new Set([3])).map((one) => one.number)).toEqual([2]);
});
