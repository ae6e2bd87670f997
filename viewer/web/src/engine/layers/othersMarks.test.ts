import { describe, expect, test } from "vitest";
import type { Frame } from "../frames/frame";
import { type OthersShape, othersOn } from "./othersMarks";

/** An axial slice, 1 mm thick, whose first pixel's center is at -10, -20, 5; pixels of 2 mm. */
const SLICE = {
  sopInstanceUid: "1.1",
  frameNumber: 3,
  frameOfReferenceUid: "1.9",
  position: [-10, -20, 5],
  orientation: { row: [1, 0, 0], column: [0, 1, 0] },
  spacing: { rowMm: 2, columnMm: 2, calibration: "patient" },
  sliceThicknessMm: 1,
} as unknown as Frame;

const SHAPE: OthersShape = {
  graphic: "POLYLINE",
  points: [
    [1, 2],
    [9, 2],
  ],
  sopInstanceUID: "1.1",
  frames: [],
  frameOfReferenceUID: "",
};

const mark = (shape: Partial<OthersShape>, says = "") => ({ says, shapes: [{ ...SHAPE, ...shape }] });

describe("marks of others", () => {
  test("lie on the image and the frame that they name, and say their words at the right", () => {
    const line = { kind: "line", units: "image", filled: false };
    expect(othersOn([mark({}, "12 mm")], SLICE)).toEqual([
      {
        ...line,
        points: [
          { column: 1, row: 2 },
          { column: 9, row: 2 },
        ],
      },
      { kind: "words", units: "image", at: { column: 9, row: 2 }, text: "12 mm" },
    ]);
    expect(othersOn([mark({ frames: [3, 4] })], SLICE)).toHaveLength(1);
    expect(othersOn([mark({ frames: [4] })], SLICE)).toEqual([]);
    expect(othersOn([mark({ sopInstanceUID: "1.2" })], SLICE)).toEqual([]);
  });

  test("in space lie on slices of their frame of reference whose plane they share", () => {
    const inSpace = (z: number, frameOfReferenceUID = "1.9") =>
      mark({
        graphic: "POLYGON",
        points: [
          [-10, -20, z],
          [10, -20, z],
          [10, 0, 5],
        ],
        sopInstanceUID: "",
        frameOfReferenceUID,
      });
    expect(othersOn([inSpace(5)], SLICE)).toMatchObject([
      {
        points: [
          { column: 0.5, row: 0.5 },
          { column: 10.5, row: 0.5 },
          { column: 10.5, row: 10.5 },
        ],
      },
    ]);
    expect(othersOn([inSpace(5.4)], SLICE)).toHaveLength(1);
    expect(othersOn([inSpace(5.6)], SLICE)).toEqual([]);
    expect(othersOn([inSpace(5, "1.8")], SLICE)).toEqual([]);
  });

  test("that are points are crosses, and an ellipse has an outline", () => {
    expect(othersOn([mark({ graphic: "MULTIPOINT" })], SLICE)).toEqual([
      { kind: "spot", units: "image", at: { column: 1, row: 2 } },
      { kind: "spot", units: "image", at: { column: 9, row: 2 } },
    ]);
    const points = [
      [0, 5],
      [10, 5],
      [5, 3],
      [5, 7],
    ];
    const [ellipse] = othersOn([mark({ graphic: "ELLIPSE", points })], SLICE);
    expect(ellipse).toMatchObject({ kind: "line" });
    if (ellipse?.kind !== "line") return;
    expect(Math.max(...ellipse.points.map((point) => point.column))).toBeCloseTo(10);
    expect(Math.max(...ellipse.points.map((point) => point.row))).toBeCloseTo(7);
  });

  test("of kinds that are not drawn, and whole images, draw nothing", () => {
    expect(othersOn([mark({ graphic: "ELLIPSOID" }, "a"), mark({ graphic: "IMAGE", points: [] }, "b")], SLICE)).toEqual(
      [],
    );
  });

  test("are not more than can be drawn", () => {
    expect(
      othersOn(
        Array.from({ length: 700 }, () => mark({})),
        SLICE,
      ),
    ).toHaveLength(500);
  });
});
