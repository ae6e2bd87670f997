import { describe, expect, test } from "vitest";
import type { JsonDataSet } from "./dicomJson";
import { framesOf } from "./frame";

const SERIES = "/dicom-web/studies/2.25.1/series/2.25.2";

function aCt(changes: JsonDataSet = {}): JsonDataSet {
  return {
    "00080016": { vr: "UI", Value: ["1.2.840.10008.5.1.4.1.1.2"] },
    "00080018": { vr: "UI", Value: ["2.25.3"] },
    "00080060": { vr: "CS", Value: ["CT"] },
    "00180050": { vr: "DS", Value: [4] },
    "00200013": { vr: "IS", Value: [12] },
    "00200032": { vr: "DS", Value: [-120, -130, 45.5] },
    "00200037": { vr: "DS", Value: [1, 0, 0, 0, 1, 0] },
    "00280010": { vr: "US", Value: [512] },
    "00280011": { vr: "US", Value: [512] },
    "00280030": { vr: "DS", Value: [0.5, 0.25] },
    "00280100": { vr: "US", Value: [16] },
    "00280103": { vr: "US", Value: [1] },
    "00281050": { vr: "DS", Value: [40, 600] },
    "00281051": { vr: "DS", Value: [80, 2800] },
    "00281052": { vr: "DS", Value: [-1024] },
    "00281053": { vr: "DS", Value: [1] },
    ...changes,
  };
}

describe("a single-frame instance", () => {
  test("is one frame at its own address", () => {
    const frames = framesOf(aCt(), SERIES);

    expect(frames).toHaveLength(1);
    expect(frames[0]).toMatchObject({
      url: `${SERIES}/instances/2.25.3/frames/1`,
      frameNumber: 1,
      instanceNumber: 12,
      position: [-120, -130, 45.5],
      spacing: { rowMm: 0.5, columnMm: 0.25, calibration: "patient" },
      window: { center: 40, width: 80 },
      rescale: { slope: 1, intercept: -1024 },
      sliceThicknessMm: 4,
      lossy: false,
    });
  });

  test("may give its numbers as text, as some senders do", () => {
    const frames = framesOf(aCt({ "00280030": { vr: "DS", Value: ["0.5", "0.5"] } }), SERIES);

    expect(frames[0]?.spacing?.rowMm).toBe(0.5);
  });

  test("without pixels is no frame", () => {
    expect(framesOf({ "00080018": { vr: "UI", Value: ["2.25.3"] } }, SERIES)).toEqual([]);
  });

  test("without a usable spacing is not calibrated", () => {
    expect(framesOf(aCt({ "00280030": { vr: "DS", Value: [0, 0] } }), SERIES)[0]?.spacing).toBeUndefined();
    expect(framesOf(aCt({ "00280030": { vr: "DS" } }), SERIES)[0]?.spacing).toBeUndefined();
  });

  test("says when it was compressed with loss, and how much in all", () => {
    const lossy = { "00282110": { vr: "CS", Value: ["01"] }, "00282112": { vr: "DS", Value: [5, 10.2] } };

    expect(framesOf(aCt(lossy), SERIES)[0]).toMatchObject({ lossy: true, lossyRatio: 10.2 });
  });

  test("says when it brings a lookup table that is not applied", () => {
    const lut = { vr: "SQ", Value: [{ "00283002": { vr: "US", Value: [256, 0, 8] } }] };
    const noWindow = { "00281050": { vr: "DS" }, "00281051": { vr: "DS" } };

    expect(framesOf(aCt({ "00283000": lut }), SERIES)[0]?.lutIgnored).toBe(true);
    expect(framesOf(aCt({ "00283010": lut, ...noWindow }), SERIES)[0]?.lutIgnored).toBe(true);
    expect(framesOf(aCt({ "00283010": lut }), SERIES)[0]?.lutIgnored).toBe(false);
  });

  test("of a projection is calibrated at the detector", () => {
    const projection = { "00280030": { vr: "DS" }, "00181164": { vr: "DS", Value: [0.19, 0.19] } };

    expect(framesOf(aCt(projection), SERIES)[0]?.spacing?.calibration).toBe("detector");
  });
});

describe("a multi-frame instance", () => {
  test("has a frame for each number, and its rate", () => {
    const cine = aCt({ "00280008": { vr: "IS", Value: [3] }, "00181063": { vr: "DS", Value: [40] } });

    const frames = framesOf(cine, SERIES);

    expect(frames.map((frame) => frame.url.split("/").at(-1))).toEqual(["1", "2", "3"]);
    expect(frames[0]?.cineRate).toBe(25);
  });

  test("takes each frame's place from its own functional group, the rest from the shared one", () => {
    const plane = (z: number) => ({
      "00209113": { vr: "SQ", Value: [{ "00200032": { vr: "DS", Value: [0, 0, z] } }] },
    });
    const shared = { "00289110": { vr: "SQ", Value: [{ "00280030": { vr: "DS", Value: [0.7, 0.7] } }] } };
    const enhanced = aCt({
      "00280008": { vr: "IS", Value: [2] },
      "52009229": { vr: "SQ", Value: [shared] },
      "52009230": { vr: "SQ", Value: [plane(10), plane(13)] },
    });

    const frames = framesOf(enhanced, SERIES);

    expect(frames.map((frame) => frame.position?.[2])).toEqual([10, 13]);
    expect(frames.map((frame) => frame.spacing?.rowMm)).toEqual([0.7, 0.7]);
  });

  test("cannot claim more frames than the room takes", () => {
    expect(framesOf(aCt({ "00280008": { vr: "IS", Value: [99_999_999] } }), SERIES)).toHaveLength(20_000);
  });
});

describe("an ultrasound image", () => {
  const region = (unit: number) => ({
    "00186018": { vr: "UL", Value: [10] },
    "0018601A": { vr: "UL", Value: [20] },
    "0018601C": { vr: "UL", Value: [600] },
    "0018601E": { vr: "UL", Value: [400] },
    "00186024": { vr: "US", Value: [unit] },
    "00186026": { vr: "US", Value: [unit] },
    "0018602C": { vr: "FD", Value: [0.02] },
    "0018602E": { vr: "FD", Value: [0.02] },
  });

  test("has regions in millimetres", () => {
    const frames = framesOf(aCt({ "00186011": { vr: "SQ", Value: [region(3)] } }), SERIES);

    expect(frames[0]?.regions).toEqual([{ left: 10, top: 20, right: 600, bottom: 400, columnMm: 0.2, rowMm: 0.2 }]);
  });

  test("has no length in a region of time or speed", () => {
    expect(framesOf(aCt({ "00186011": { vr: "SQ", Value: [region(4)] } }), SERIES)[0]?.regions).toEqual([]);
  });
});
