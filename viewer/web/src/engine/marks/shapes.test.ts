import { describe, expect, test } from "vitest";
import { ellipse, polygon, sampleAt, spreadOf } from "./shapes";

const at = (column: number, row: number) => ({ column, row });
/** Ten columns by eight rows whose value is ten times the row plus the column. */
const RAMP = {
  rows: 8,
  columns: 10,
  values: Array.from({ length: 80 }, (_, place) => Math.floor(place / 10) * 10 + (place % 10)),
};

describe("a polygon", () => {
  test("has the area of the shoelace, whichever way round", () => {
    const corners = [at(1, 1), at(5, 1), at(5, 4), at(1, 4)];

    expect(polygon(corners).area).toBe(12);
    expect(polygon(corners.toReversed()).area).toBe(12);
  });

  test("that is not convex leaves out what is in its notch", () => {
    const shape = polygon([at(0, 0), at(6, 0), at(6, 6), at(3, 2), at(0, 6)]);

    expect(shape.contains(at(1, 2))).toBe(true);
    expect(shape.contains(at(3, 5))).toBe(false);
  });

  test("gives mean and deviation of the samples whose centers are inside", () => {
    const spread = spreadOf(polygon([at(2, 1), at(4, 1), at(4, 3), at(2, 3)]), RAMP);

    expect(spread).toMatchObject({ mean: 17.5, lowest: 12, highest: 23, count: 4 });
    expect(spread?.deviation).toBeCloseTo(Math.sqrt((5.5 ** 2 + 4.5 ** 2) / 2), 10);
  });

  test("partly outside of the image counts what is inside, and nothing when it is all outside", () => {
    expect(spreadOf(polygon([at(8, 6), at(20, 6), at(20, 20), at(8, 20)]), RAMP)?.count).toBe(4);
    expect(spreadOf(polygon([at(20, 20), at(30, 20), at(30, 30)]), RAMP)).toBeUndefined();
  });
});

describe("an ellipse", () => {
  test("has the area of its two half axes", () => {
    const shape = ellipse([at(5, 1), at(5, 7)], [at(1, 4), at(9, 4)]);

    expect(shape.area).toBeCloseTo(Math.PI * 3 * 4, 10);
    expect(shape.contains(at(5, 6.9))).toBe(true);
    expect(shape.contains(at(8.5, 6.5))).toBe(false);
  });

  test("that is turned holds what lies along its axes", () => {
    const shape = ellipse([at(0, 0), at(8, 8)], [at(3, 5), at(5, 3)]);

    expect(shape.contains(at(7, 7))).toBe(true);
    expect(shape.contains(at(7, 1))).toBe(false);
  });

  test("of no width holds nothing", () => {
    expect(spreadOf(ellipse([at(5, 1), at(5, 7)], [at(5, 4), at(5, 4)]), RAMP)).toBeUndefined();
  });
});

test("a sample is that of the pixel under the place", () => {
  expect(sampleAt(at(3.9, 2.1), RAMP)).toBe(23);
  expect(sampleAt(at(-0.1, 2), RAMP)).toBeUndefined();
  expect(sampleAt(at(3, 8), RAMP)).toBeUndefined();
});
