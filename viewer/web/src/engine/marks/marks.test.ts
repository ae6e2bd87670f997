import { describe, expect, test } from "vitest";
import { type Frame, framesOf } from "../frames/frame";
import { readMark, unitOf } from "./marks";

const at = (column: number, row: number) => ({ column, row });
const value = (vr: string, ...Value: unknown[]) => ({ vr, Value });
const SAMPLES = { rows: 4, columns: 4, values: Array.from({ length: 16 }, (_, place) => place * 10) };

function aFrame(changed: Record<string, unknown> = {}): Frame {
  const [frame] = framesOf(
    {
      "00080018": value("UI", "1.2.3"),
      "00080060": value("CS", "CT"),
      "00280010": value("US", 4),
      "00280011": value("US", 4),
      "00280030": value("DS", 2, 0.5),
      "00280100": value("US", 16),
      ...changed,
    },
    "/series",
  );
  if (!frame) throw new Error("the data set is an image");
  return frame;
}

describe("a mark says", () => {
  test("the longer and the shorter of two diameters, each with its own millimetres", () => {
    const reading = readMark("bidirectional", [at(0, 0), at(4, 0), at(2, 0), at(2, 3)], aFrame(), undefined);

    expect(reading).toMatchObject({ kind: "two", long: { value: 6, unit: "mm" }, short: { value: 2, unit: "mm" } });
  });

  test("an angle as it is in the patient, where pixels are not square", () => {
    const reading = readMark("angle", [at(4, 0), at(0, 0), at(4, 1)], aFrame(), undefined);

    expect(reading).toMatchObject({ kind: "angle", degrees: 45 });
  });

  test("a Cobb angle as the smaller of the two, whichever way its lines were drawn", () => {
    const square = aFrame({ "00280030": value("DS", 1, 1) });
    const lines = [at(0, 0), at(10, 0), at(10, 20), at(0, 10)];

    expect(readMark("cobb", lines, square, undefined)).toMatchObject({ degrees: expect.closeTo(45, 6) });
  });

  test("the value under a probe in its unit, and nothing outside", () => {
    expect(readMark("probe", [at(1.5, 2.5)], aFrame(), SAMPLES)).toEqual({ kind: "value", value: 90, unit: "HU" });
    expect(readMark("probe", [at(9, 9)], aFrame(), SAMPLES)).toBeUndefined();
  });

  test("area, mean and deviation of a rectangle whose corners come by rows", () => {
    const reading = readMark("rectangle", [at(0, 0), at(2, 0), at(0, 2), at(2, 2)], aFrame(), SAMPLES);

    expect(reading).toMatchObject({ kind: "region", area: { value: 4, unit: "mm" }, spread: { mean: 25, count: 4 } });
  });

  test("the area alone where a frame has no single values, in pixels where nothing is calibrated", () => {
    const photograph = aFrame({ "00280030": value("DS") });
    const reading = readMark("ellipse", [at(2, 0), at(2, 4), at(0, 2), at(4, 2)], photograph, undefined);

    expect(reading).toMatchObject({ area: { unit: "px", calibration: "none" }, spread: undefined });
  });

  test.each(["length", "bidirectional", "angle", "cobb", "probe", "rectangle", "ellipse", "freehand"] as const)(
    "nothing while a %s is being begun",
    (tool) => {
      expect(readMark(tool, [], aFrame(), SAMPLES)).toBeUndefined();
    },
  );
});

test("values are Hounsfield units of a CT alone, else what the image says", () => {
  expect(unitOf(aFrame())).toBe("HU");
  expect(unitOf(aFrame({ "00281054": value("LO", "US") }))).toBe("");
  expect(unitOf(aFrame({ "00080060": value("CS", "MR") }))).toBe("");
  expect(unitOf(aFrame({ "00080060": value("CS", "PT"), "00281054": value("LO", "BQML") }))).toBe("BQML");
});
