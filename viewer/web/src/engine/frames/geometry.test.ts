import { describe, expect, test } from "vitest";
import { edgeLetters, isOrthonormal, normalOf, type Orientation, type Vector } from "./geometry";

const AXIAL: Orientation = { row: [1, 0, 0], column: [0, 1, 0] };
const SAGITTAL: Orientation = { row: [0, 1, 0], column: [0, 0, -1] };
const CORONAL: Orientation = { row: [1, 0, 0], column: [0, 0, -1] };

test("axial slices are stacked towards the head, sagittal ones towards the right, coronal ones towards the back", () => {
  expect(normalOf(AXIAL)).toEqual([0, 0, 1]);
  expect(normalOf(SAGITTAL)).toEqual([-1, 0, 0]);
  expect(normalOf(CORONAL).map(Math.abs)).toEqual([0, 1, 0]);
});

describe("the letters at the edges", () => {
  test("say where the patient's sides are", () => {
    expect(edgeLetters(AXIAL)).toEqual({ top: "A", right: "L", bottom: "P", left: "R" });
    expect(edgeLetters(CORONAL)).toEqual({ top: "H", right: "L", bottom: "F", left: "R" });
    expect(edgeLetters(SAGITTAL)).toEqual({ top: "H", right: "P", bottom: "F", left: "A" });
  });

  test("name two sides of an oblique image, the stronger one first", () => {
    const cos = Math.cos(Math.PI / 9);
    const sin = Math.sin(Math.PI / 9);
    const tilted: Orientation = { row: [1, 0, 0], column: [0, cos, -sin] };

    expect(edgeLetters(tilted)).toMatchObject({ top: "AH", bottom: "PF" });
  });
});

test("cosines that are no cosines are known", () => {
  const zero: Vector = [0, 0, 0];

  expect(isOrthonormal(AXIAL)).toBe(true);
  expect(isOrthonormal({ row: zero, column: [0, 1, 0] })).toBe(false);
  expect(isOrthonormal({ row: [1, 0, 0], column: [1, 0, 0] })).toBe(false);
});
