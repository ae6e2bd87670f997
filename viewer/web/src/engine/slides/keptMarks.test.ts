import { expect, test } from "vitest";
import { placementOf } from "./geometry";
import { fromKept, toKept } from "./keptMarks";
import type { Mark } from "./marks";
import { aSlide } from "./slide.fixture";

const MARKS: readonly Mark[] = [
  { uid: "2.25.1", kind: "point", points: [{ x: 12.25, y: 2900.5 }], text: " ổ hoại tử " },
  {
    uid: "2.25.2",
    kind: "polygon",
    points: [
      { x: 0, y: 0 },
      { x: 2220, y: 0 },
      { x: 2220, y: 2967 },
    ],
    text: "",
  },
];

test("marks come back to within a fiftieth of a pixel, though the archive keeps single precision", () => {
  const placement = placementOf(aSlide());
  if (!placement) throw new Error("the fixture lies on the glass");
  const kept = toKept(placement, MARKS);

  const single = kept.map((mark) => ({
    ...mark,
    points: mark.points.map(([x, y]) => [Math.fround(x), Math.fround(y)] as const),
  }));
  const back = fromKept(placement, single);

  expect(back.map(({ uid, kind, text }) => [uid, kind, text])).toEqual([
    ["2.25.1", "point", "ổ hoại tử"],
    ["2.25.2", "polygon", ""],
  ]);
  back.forEach((mark, index) => {
    mark.points.forEach((point, at) => {
      expect(Math.abs(point.x - (MARKS[index]?.points[at]?.x ?? Number.NaN))).toBeLessThan(0.02);
      expect(Math.abs(point.y - (MARKS[index]?.points[at]?.y ?? Number.NaN))).toBeLessThan(0.02);
    });
  });
  const again = toKept(placement, back).map(({ points }) => points.map((place) => place.map(Math.fround)));
  expect(again).toEqual(single.map(({ points }) => points));
});
