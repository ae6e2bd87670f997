import { describe, expect, test } from "vitest";
import type { JsonDataSet } from "../frames/dicomJson";
import { type Frame, framesOf } from "../frames/frame";
import { placementOn, segmentationOf } from "./segmentation";

const value = (...Value: unknown[]) => ({ vr: "UN", Value });
const sequence = (...Value: JsonDataSet[]) => ({ vr: "SQ", Value });
const IMAGE = {
  "00080018": value("1.1"),
  "00200052": value("1.9"),
  "00200032": value(-10, -20, 5),
  "00200037": value(1, 0, 0, 0, 1, 0),
  "00280030": value(1, 1),
  "00280010": value(64),
  "00280011": value(64),
  "00280100": value(16),
};

function image(changed: JsonDataSet = {}): Frame {
  const [frame] = framesOf({ ...IMAGE, ...changed }, "/series");
  if (!frame) throw new Error("the data set is an image");
  return frame;
}

function segmentFrame(segment: number, z: number): JsonDataSet {
  return {
    "0062000A": sequence({ "0062000B": value(segment) }),
    "00209113": sequence({ "00200032": value(-4, -8, z) }),
    "00089124": sequence({ "00082112": sequence({ "00081155": value("1.1") }) }),
  };
}

const SEG: JsonDataSet = {
  "00080016": value("1.2.840.10008.5.1.4.1.1.66.4"),
  "00080018": value("1.5"),
  "00200052": value("1.9"),
  "00620001": value("BINARY"),
  "00620002": sequence({ "00620004": value(1), "00620005": value("Gan") }, { "00620004": value(2) }),
  "00280008": value(2),
  "00280010": value(30),
  "00280011": value(30),
  "00280100": value(1),
  "52009229": sequence({
    "00209116": sequence({ "00200037": value(1, 0, 0, 0, 1, 0) }),
    "00289110": sequence({ "00280030": value(2, 2) }),
  }),
  "52009230": sequence(segmentFrame(1, 5), segmentFrame(2, 10)),
};

describe("a segmentation", () => {
  test("that is a label map has the segments in each frame, without the background", () => {
    const map = segmentationOf(
      {
        ...SEG,
        "00080016": value("1.2.840.10008.5.1.4.1.1.66.7"),
        "00620001": value("LABELMAP"),
        "00620002": sequence({ "00620004": value(0) }, { "00620004": value(3) }, { "00620004": value(255) }),
        "00280120": value(255),
      },
      "/series",
    );

    expect(map?.segments).toEqual([{ number: 3, label: "" }]);
    expect(map?.frames.map(({ segment }) => segment)).toEqual([undefined, undefined]);
    const [first] = map?.frames ?? [];
    expect(first && placementOn(image(), first)).toMatchObject({ across: 2, down: 2 });
  });

  test("tells its segments, and of each frame whose it is and what it was made of", () => {
    expect(segmentationOf(SEG, "/series")).toMatchObject({
      segments: [
        { number: 1, label: "Gan" },
        { number: 2, label: "" },
      ],
      frames: [
        { segment: 1, madeOf: "1.1" },
        { segment: 2, madeOf: "1.1" },
      ],
      full: 1,
    });
  });

  test("is nothing that is another kind of instance, nor a kind that is not shown", () => {
    expect(segmentationOf({ ...SEG, "00080016": value("1.2") }, "/series")).toBeUndefined();
    expect(segmentationOf({ ...SEG, "00620001": value("CONTOUR") }, "/series")).toBeUndefined();
  });
});

describe("a frame of it", () => {
  const [first, second] = segmentationOf(SEG, "/series")?.frames ?? [];
  if (!(first && second)) throw new Error("it has two");

  test("lies on the image in its plane, corner on corner, larger by its spacing", () => {
    // Centers are 6 and 12 mm from the image's first; pixels of 2 mm begin half of one before.
    expect(placementOn(image(), first)).toEqual({ column: 5.5, row: 11.5, across: 2, down: 2 });
  });

  test.each([
    ["on another slice", image(), second],
    ["in another space", image({ "00200052": value("1.8") }), first],
    ["on an image of another direction", image({ "00200037": value(0, 1, 0, 0, 0, -1) }), first],
  ])("is not shown %s", (_, on, frame) => {
    expect(placementOn(on, frame)).toBeUndefined();
  });

  test("without positions lies on the image that it was made of, when they are of one size", () => {
    const flat = { ...first, frame: { ...first.frame, position: undefined } };
    expect(placementOn(image({ "00280010": value(30), "00280011": value(30) }), flat)).toEqual({
      column: 0,
      row: 0,
      across: 1,
      down: 1,
    });
    expect(placementOn(image(), flat)).toBeUndefined();
  });
});
