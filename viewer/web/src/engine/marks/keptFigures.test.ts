import { describe, expect, it } from "vitest";
import type { Frame } from "../frames/frame";
import { figuresOf } from "./keptFigures";

const at = (column: number, row: number) => ({ column, row });
const frame = (over: Partial<Frame> = {}) =>
  ({
    modality: "CT",
    rescale: { slope: 1, intercept: 0, type: undefined, told: true },
    spacing: { rowMm: 2, columnMm: 1, calibration: "patient" },
    regions: [],
    ...over,
  }) as unknown as Frame;
const SAMPLES = { rows: 4, columns: 4, values: Array.from({ length: 16 }, (_, index) => index) };

describe("the figures that are kept with a mark", () => {
  it("are the length in the patient", () => {
    expect(figuresOf("length", [at(0, 0), at(3, 2)], frame(), undefined)).toEqual({
      figures: [{ quantity: "length", value: 5, unit: "mm" }],
      calibration: "patient",
    });
  });

  it("are pixels where nothing says millimetres", () => {
    expect(figuresOf("length", [at(0, 0), at(3, 4)], frame({ spacing: undefined }), undefined)).toEqual({
      figures: [{ quantity: "length", value: 5, unit: "px" }],
      calibration: "none",
    });
  });

  it("stand in the order of a bidirectional mark's lines", () => {
    const long = [at(0, 0), at(0, 4)];
    const short = [at(0, 1), at(4, 1)];
    const quantities = (lines: readonly { column: number; row: number }[]) =>
      figuresOf("bidirectional", lines, frame(), undefined).figures.map(({ quantity, value }) => [quantity, value]);

    expect(quantities([...long, ...short])).toEqual([
      ["long", 8],
      ["short", 4],
    ]);
    expect(quantities([...short, ...long])).toEqual([
      ["short", 4],
      ["long", 8],
    ]);
  });

  it("tell apart the angle at a place and Cobb's", () => {
    const places = [at(0, 0), at(4, 0), at(0, 0), at(0, 4)];
    expect(figuresOf("angle", [at(4, 0), at(0, 0), at(0, 4)], frame(), undefined).figures).toEqual([
      { quantity: "angle", value: 90, unit: "deg" },
    ]);
    expect(figuresOf("cobb", places, frame(), undefined).figures).toEqual([
      { quantity: "cobb", value: 90, unit: "deg" },
    ]);
  });

  it("are area and samples of a region, and the area alone while the samples are not there", () => {
    const corners = [at(0, 0), at(2, 0), at(0, 2), at(2, 2)];
    expect(figuresOf("rectangle", corners, frame(), SAMPLES).figures).toEqual([
      { quantity: "area", value: 8, unit: "mm2" },
      { quantity: "mean", value: 2.5, unit: "HU" },
      { quantity: "deviation", value: Math.sqrt(4.25), unit: "HU" },
      { quantity: "lowest", value: 0, unit: "HU" },
      { quantity: "highest", value: 5, unit: "HU" },
    ]);
    expect(figuresOf("rectangle", corners, frame(), undefined).figures).toHaveLength(1);
  });

  it("are a probe's value, without a unit that the archive does not know, and none of an arrow", () => {
    const counts = frame({ modality: "NM", rescale: { slope: 1, intercept: 0, type: "CNTS", told: true } });
    expect(figuresOf("probe", [at(1.5, 1.5)], counts, SAMPLES).figures).toEqual([
      { quantity: "value", value: 5, unit: "" },
    ]);
    expect(figuresOf("arrow", [at(1, 1), at(2, 2)], frame(), SAMPLES).figures).toEqual([]);
  });
});
