import { describe, expect, test } from "vitest";
import type { Box } from "../api/types";
import { areAs, BOXES_MAX, boxBetween, changed, masksOf, middleBox, moved, withCorner, withEdge } from "./boxes";

const SIZE = { rows: 100, columns: 200 };

describe("a box between two places", () => {
  test.each([
    [
      { row: 10.7, column: 20.2 },
      { row: 30.1, column: 40.9 },
    ],
    [
      { row: 30.1, column: 40.9 },
      { row: 10.7, column: 20.2 },
    ],
  ])("holds every pixel that was touched, whichever way it was drawn", (from, to) => {
    expect(boxBetween(from, to, SIZE)).toEqual([10, 20, 31, 41]);
  });

  test("ends where the frame ends", () => {
    expect(boxBetween({ row: -5, column: 190 }, { row: 20, column: 999 }, SIZE)).toEqual([0, 190, 20, 200]);
  });

  test("is none when it was a click", () => {
    expect(boxBetween({ row: 10.2, column: 10.2 }, { row: 10.4, column: 10.4 }, SIZE)).toBeUndefined();
  });
});

describe("with the keyboard a box", () => {
  test("moves, and keeps its size at the edge", () => {
    expect(moved([10, 10, 20, 30], 5, -3, SIZE)).toEqual([15, 7, 25, 27]);
    expect(moved([10, 10, 20, 30], -50, 500, SIZE)).toEqual([0, 180, 10, 200]);
  });

  test("grows to the edge and shrinks to a pixel", () => {
    expect(withCorner([10, 10, 20, 30], 3, 500, 1, SIZE)).toEqual([10, 10, 100, 31]);
    expect(withCorner([10, 10, 20, 30], 3, -500, -500, SIZE)).toEqual([10, 10, 11, 11]);
  });

  test.each([
    [0, [8, 11, 20, 30]],
    [1, [8, 10, 20, 31]],
    [2, [10, 11, 18, 30]],
    [3, [10, 10, 18, 31]],
  ] as const)("moves its corner %i and leaves the opposite one", (corner, after) => {
    expect(withCorner([10, 10, 20, 30], corner, -2, 1, SIZE)).toEqual(after);
  });

  test("begins in the middle, even of the smallest frame", () => {
    expect(middleBox(SIZE)).toEqual([45, 80, 55, 120]);
    expect(middleBox({ rows: 1, columns: 1 })).toEqual([0, 0, 1, 1]);
  });

  test("takes an edge as typed, never beyond the opposite one or the frame", () => {
    const box = [10, 10, 20, 30] as const;

    expect(withEdge(box, 0, 15, SIZE)).toEqual([15, 10, 20, 30]);
    expect(withEdge(box, 1, 99, SIZE)).toEqual([10, 29, 20, 30]);
    expect(withEdge(box, 2, -4, SIZE)).toEqual([10, 10, 11, 30]);
    expect(withEdge(box, 3, 9999, SIZE)).toEqual([10, 10, 20, 200]);
    expect(withEdge(box, 0, Number.NaN, SIZE)).toEqual([0, 10, 20, 30]);
  });
});

describe("the masks of an instance", () => {
  const proposed = masksOf([
    [0, 0, 5, 5],
    [7, 7, 9, 9],
  ]);

  test("begin as proposed, with none chosen", () => {
    expect(proposed.list.map((mask) => mask.box)).toEqual([
      [0, 0, 5, 5],
      [7, 7, 9, 9],
    ]);
    expect(proposed.chosen).toBeUndefined();
  });

  test("choose the one that was added, and never give its number again", () => {
    const added = changed(proposed, { kind: "add", box: [1, 1, 2, 2] });
    const again = changed(changed(added, { kind: "remove", id: 2 }), { kind: "add", box: [3, 3, 4, 4] });

    expect(added.chosen).toBe(2);
    expect(again.list.map((mask) => mask.id)).toEqual([0, 1, 3]);
  });

  test("change one alone", () => {
    const after = changed(proposed, { kind: "put", id: 1, box: [8, 8, 9, 9] });

    expect(after.list.map((mask) => mask.box)).toEqual([
      [0, 0, 5, 5],
      [8, 8, 9, 9],
    ]);
  });

  test("go back to what was proposed", () => {
    const after = changed(changed(proposed, { kind: "remove", id: 0 }), { kind: "restart", boxes: [[0, 0, 5, 5]] });

    expect(after.list).toEqual([{ id: 0, box: [0, 0, 5, 5] }]);
  });

  test("are at most as many as the node takes", () => {
    const full = masksOf(Array.from({ length: BOXES_MAX }, () => [0, 0, 1, 1] as const));

    expect(changed(full, { kind: "add", box: [0, 0, 2, 2] })).toBe(full);
  });
});

test("masks are as proposed when every edge is, in the same order", () => {
  const proposed: Box[] = [
    [1, 2, 30, 40],
    [5, 5, 9, 9],
  ];
  const masks = masksOf(proposed);

  expect(areAs(masks, proposed)).toBe(true);
  expect(areAs(changed(masks, { kind: "put", id: 1, box: [5, 5, 9, 10] }), proposed)).toBe(false);
  expect(areAs(changed(masks, { kind: "remove", id: 1 }), proposed)).toBe(false);
  expect(areAs(changed(masks, { kind: "choose", id: 1 }), proposed)).toBe(true);
});
