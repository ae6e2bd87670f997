import { describe, expect, test } from "vitest";
import type { Frame } from "../frames/frame";
import type { Vector } from "../frames/geometry";
import { inOneSpace, placeInImage, placeInPatient, sliceNear } from "./pointing";

function slice(position: Vector, more: Partial<Frame> = {}): Frame {
  return {
    position,
    orientation: { row: [0, 1, 0], column: [0, 0, -1] },
    spacing: { columnMm: 0.5, rowMm: 2, calibration: "patient" },
    frameOfReferenceUid: "1.2.3",
    ...more,
  } as Frame;
}

describe("a place in an image", () => {
  test("is where the image's position, orientation and spacing put it", () => {
    expect(placeInPatient(slice([10, 20, 30]), { column: 4, row: 3 })).toEqual([10, 22, 24]);
  });

  test("is found again, with how far it is off the plane", () => {
    expect(placeInImage(slice([10, 20, 30]), [7, 22, 24])).toEqual({ column: 4, row: 3, offMm: 3 });
  });

  test.each([{ position: undefined }, { orientation: undefined }, { spacing: undefined }])(
    "is nowhere, where the image does not say: %j",
    (without) => {
      expect(placeInPatient(slice([0, 0, 0], without), { column: 0, row: 0 })).toBeUndefined();
      expect(placeInImage(slice([0, 0, 0], without), [0, 0, 0])).toBeUndefined();
    },
  );
});

test("the slice of a point is the one whose plane is nearest", () => {
  const stack = [slice([0, 0, 0]), slice([5, 0, 0], { position: undefined }), slice([10, 0, 0])];

  expect(sliceNear(stack, [7, 99, 99])).toBe(2);
  expect(sliceNear([slice([0, 0, 0], { spacing: undefined })], [0, 0, 0])).toBeUndefined();
});

test("images are in one space by their frame of reference, and never without one", () => {
  const nowhere = slice([0, 0, 0], { frameOfReferenceUid: undefined });

  expect(inOneSpace(slice([0, 0, 0]), slice([9, 9, 9]))).toBe(true);
  expect(inOneSpace(slice([0, 0, 0]), slice([0, 0, 0], { frameOfReferenceUid: "9" }))).toBe(false);
  expect(inOneSpace(nowhere, nowhere)).toBe(false);
});
