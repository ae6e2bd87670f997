import { describe, expect, test } from "vitest";
import { anchorOf, MARKS_MAX, Marks, measureOf, newUid, POINTS_MAX } from "./marks";
import { aSlide } from "./slide.fixture";

const SQUARE = [
  { x: 10, y: 10 },
  { x: 110, y: 10 },
  { x: 110, y: 60 },
  { x: 10, y: 60 },
];

describe("a measure", () => {
  const slide = aSlide({ mpp: [0.5, 0.25] });

  test("of a line counts rows and columns by their own spacing", () => {
    const points = [
      { x: 0, y: 0 },
      { x: 6, y: 16 },
    ];

    expect(measureOf(slide, { kind: "line", points })).toEqual({ what: "length", value: 5, scaled: true });
  });

  test.each(["polygon", "freehand"] as const)("of a %s is what it encloses, whichever way it was drawn", (kind) => {
    const area = { what: "area", value: 100 * 0.5 * 50 * 0.25, scaled: true };

    expect(measureOf(slide, { kind, points: SQUARE })).toEqual(area);
    expect(measureOf(slide, { kind, points: [...SQUARE].reverse() })).toEqual(area);
  });

  test("of a slide without scale is in pixels and says so", () => {
    expect(measureOf(aSlide({ mpp: null }), { kind: "polygon", points: SQUARE })).toEqual({
      what: "area",
      value: 5000,
      scaled: false,
    });
  });

  test("is none of a point", () => {
    expect(measureOf(slide, { kind: "point", points: SQUARE.slice(0, 1) })).toBeUndefined();
  });
});

test("a mark's text stands at its end or its top", () => {
  expect(anchorOf({ kind: "line", points: SQUARE.slice(0, 2) })).toEqual({ x: 110, y: 10 });
  expect(anchorOf({ kind: "polygon", points: [...SQUARE].reverse() })).toEqual({ x: 110, y: 10 });
});

describe("the list of marks", () => {
  test("selects what was drawn last, and forgets it when it is gone", () => {
    const marks = new Marks();
    marks.add("point", [{ x: 1, y: 2 }]);
    const line = marks.add("line", SQUARE.slice(0, 2));
    expect(marks.selected.get()).toBe(line?.uid);

    marks.removeSelected();

    expect(marks.list.get().map(({ kind }) => kind)).toEqual(["point"]);
    expect(marks.selected.get()).toBeUndefined();
  });

  test("takes words for a mark", () => {
    const marks = new Marks();
    const mark = marks.add("text", [{ x: 1, y: 2 }]);

    marks.write(mark?.uid ?? "", "ổ hoại tử");

    expect(marks.list.get()[0]?.text).toBe("ổ hoại tử");
  });

  test("has an end, and so has an outline", () => {
    const marks = new Marks();
    marks.replace(
      Array.from({ length: MARKS_MAX - 1 }, () => ({ uid: newUid(), kind: "point", points: [], text: "" })),
    );

    const last = marks.add(
      "freehand",
      Array.from({ length: POINTS_MAX + 1 }, (_, x) => ({ x, y: 0 })),
    );

    expect(last?.points).toHaveLength(POINTS_MAX);
    expect(marks.add("point", [{ x: 0, y: 0 }])).toBeUndefined();
  });

  test("names marks by UIDs of the 2.25 root", () => {
    expect(newUid()).toMatch(/^2\.25\.[1-9]\d{30,38}$/);
    expect(newUid()).not.toBe(newUid());
  });
});
