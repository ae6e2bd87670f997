import { describe, expect, test } from "vitest";
import { lengthBetween, type PixelSpacing, type Region } from "./measure";

const ORIGIN = { column: 10, row: 20 };
const SPACING: PixelSpacing = { rowMm: 0.5, columnMm: 0.25, calibration: "patient" };
const REGION: Region = { left: 0, top: 0, right: 100, bottom: 100, columnMm: 0.1, rowMm: 0.2 };

describe("a length", () => {
  test("takes rows and columns by their own spacing", () => {
    expect(lengthBetween(ORIGIN, { column: 10, row: 120 }, SPACING).value).toBeCloseTo(50, 9);
    expect(lengthBetween(ORIGIN, { column: 110, row: 20 }, SPACING).value).toBeCloseTo(25, 9);
    expect(lengthBetween(ORIGIN, { column: 26, row: 26 }, SPACING).value).toBeCloseTo(5, 9);
  });

  test("says where its millimetres come from", () => {
    const atDetector: PixelSpacing = { ...SPACING, calibration: "detector" };

    expect(lengthBetween(ORIGIN, ORIGIN, SPACING).calibration).toBe("patient");
    expect(lengthBetween(ORIGIN, ORIGIN, atDetector).calibration).toBe("detector");
  });

  test("is in pixels when nothing is known", () => {
    expect(lengthBetween(ORIGIN, { column: 13, row: 24 }, undefined)).toEqual({
      value: 5,
      unit: "px",
      calibration: "none",
    });
  });
});

describe("a length in an ultrasound image", () => {
  test("uses the region that holds both ends", () => {
    const length = lengthBetween(ORIGIN, { column: 10, row: 70 }, undefined, [REGION]);

    expect(length).toEqual({ value: 10, unit: "mm", calibration: "region" });
  });

  test("is in pixels when it leaves the region, even if the image has a spacing", () => {
    expect(lengthBetween(ORIGIN, { column: 10, row: 150 }, SPACING, [REGION]).unit).toBe("px");
  });
});
