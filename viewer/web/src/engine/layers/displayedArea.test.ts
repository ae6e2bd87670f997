import { describe, expect, test } from "vitest";
import type { JsonDataSet } from "../frames/dicomJson";
import type { Frame } from "../frames/frame";
import { displayedAreasOf, partOf, trueMagnification } from "./displayedArea";

const value = (...Value: unknown[]) => ({ vr: "UN", Value });

function anArea(changes: JsonDataSet = {}): JsonDataSet {
  return {
    "00700052": value(11, 21),
    "00700053": value(30, 60),
    "00700100": value("SCALE TO FIT"),
    "00700102": value(1, 1),
    ...changes,
  };
}

function image(changes: Partial<Frame> = {}): Frame {
  return { sopInstanceUid: "1.1", pixels: { rows: 100, columns: 80 }, aspect: 1, ...changes } as Frame;
}

function shown(changes: JsonDataSet = {}, of: Frame = image()) {
  return partOf(displayedAreasOf({ "0070005A": { vr: "SQ", Value: [anArea(changes)] } }), of);
}

describe("a displayed area", () => {
  test("goes from the first pixel's corner to the last one's far corner", () => {
    expect(shown()).toEqual({ left: 10, top: 20, right: 30, bottom: 60, magnification: undefined, told: "part" });
  });

  test("has its corners where they come to be in the turned picture, so either may be the greater", () => {
    expect(shown({ "00700052": value(30, 21), "00700053": value(11, 60) })).toMatchObject({ left: 10, right: 30 });
  });

  test("that is the whole image, fitted, is nothing to be told", () => {
    expect(shown({ "00700052": value(1, 1), "00700053": value(80, 100) })).toBeUndefined();
  });

  test("is magnified as it says, within reason", () => {
    const magnified = (ratio: number) => shown({ "00700100": value("MAGNIFY"), "00700103": value(ratio) });

    expect(magnified(2.5)?.magnification).toBe(2.5);
    expect(magnified(0)?.magnification).toBeUndefined();
    expect(magnified(1e6)?.magnification).toBeUndefined();
  });

  const TRUE_SIZE = { "00700052": value(1, 1), "00700053": value(80, 100), "00700100": value("TRUE SIZE") };
  const inTrueSize = (changes: JsonDataSet, of: Frame, pixelMm?: number) =>
    partOf(displayedAreasOf({ "0070005A": { vr: "SQ", Value: [anArea({ ...TRUE_SIZE, ...changes })] } }), of, pixelMm);

  test("of true size says that it is not of true size while nobody measured the display, or the image has no size", () => {
    const spacing = { rowMm: 0.5, columnMm: 0.5, calibration: "patient" } as const;

    expect(inTrueSize({}, image({ spacing }))).toMatchObject({ told: "trueSize", magnification: undefined });
    expect(inTrueSize({}, image(), 0.25)).toMatchObject({ told: "trueSize", magnification: undefined });
    const atDetector = { ...spacing, calibration: "detector" } as const;
    expect(inTrueSize({}, image({ spacing: atDetector }), 0.25)?.told).toBe("trueSize");
  });

  test("of true size is as large as the display was measured to show it, by the state's spacing or the image's", () => {
    const spacing = { rowMm: 0.5, columnMm: 0.5, calibration: "patient" } as const;

    expect(inTrueSize({}, image({ spacing }), 0.25)).toMatchObject({ told: "inTrueSize", magnification: 2 });
    expect(inTrueSize({ "00700101": value(0.1, 0.1) }, image(), 0.2)).toMatchObject({
      told: "inTrueSize",
      magnification: 0.5,
    });
  });

  test("of true size is not larger than a display can show", () => {
    const spacing = { rowMm: 30, columnMm: 30, calibration: "patient" } as const;

    expect(trueMagnification(image({ spacing }), 0.25)).toBe("unsized");
  });

  test("of pixels of another shape than the image is drawn with says so", () => {
    expect(shown({ "00700102": value(2, 1) })?.told).toBe("aspect");
    expect(shown({ "00700102": value(2, 1) }, image({ aspect: 2 }))?.told).toBe("part");
    expect(shown({ "00700101": value(1, 0.5) }, image({ aspect: 2 }))?.told).toBe("part");
  });

  test("is for the images that it names, and nothing without corners", () => {
    const named = { "00081140": { vr: "SQ", Value: [{ "00081155": value("1.2") }] } };

    expect(shown(named)).toBeUndefined();
    expect(shown(named, image({ sopInstanceUid: "1.2" }))?.left).toBe(10);
    expect(shown({ "00700053": value() })).toBeUndefined();
  });
});
