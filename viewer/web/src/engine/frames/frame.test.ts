import { describe, expect, test } from "vitest";
import { unitOf } from "../marks/marks";
import type { JsonDataSet } from "./dicomJson";
import { framesOf, wantsLevels } from "./frame";
import { presetsOf } from "./presets";

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

  test("says when what it wants to be shown by contradicts itself", () => {
    const ignored = (changes: JsonDataSet) => framesOf(aCt(changes), SERIES)[0]?.displayIgnored;
    const empty = { vr: "SQ", Value: [{ "00283002": { vr: "US", Value: [256, 0, 8] } }] };
    const narrow = { "00281050": { vr: "DS", Value: [0.2] }, "00281051": { vr: "DS", Value: [0.5] } };

    expect(ignored({})).toBeUndefined();
    expect(ignored({ "00283000": empty })).toBe("modalityLut");
    expect(ignored({ "00283010": empty })).toBe("lut");
    expect(ignored(narrow)).toBe("window");
    expect(ignored({ ...narrow, "00281056": { vr: "CS", Value: ["LINEAR_EXACT"] } })).toBeUndefined();
  });

  test("without its Modality LUT counts nothing that has a unit, and has no window", () => {
    const empty = { vr: "SQ", Value: [{}] };
    const voi = { "00283002": { vr: "US", Value: [1, 0, 8] }, "00283006": { vr: "US", Value: [9] } };
    const [frame] = framesOf(aCt({ "00283000": empty, "00283010": { vr: "SQ", Value: [voi] } }), SERIES);

    expect(frame).toMatchObject({ rescale: { slope: 1, intercept: 0 }, window: undefined, voiLookup: undefined });
    expect(frame && unitOf(frame)).toBe("");
    expect(frame && presetsOf(frame.modality, frame.rescale.type).some(({ fixed }) => fixed)).toBe(false);
  });

  test("has the function of its window", () => {
    const sigmoid = { "00281056": { vr: "CS", Value: ["SIGMOID"] } };

    expect(framesOf(aCt(sigmoid), SERIES)[0]?.window).toEqual({ center: 40, width: 80, function: "SIGMOID" });
  });

  test("has all its windows, of which the first is the default; a color image has none to choose", () => {
    const explained = { "00281055": { vr: "LO", Value: ["BRAIN", "BONE"] } };
    const color = { "00280002": { vr: "US", Value: [3] }, "00280004": { vr: "CS", Value: ["RGB"] } };
    const [frame] = framesOf(aCt(explained), SERIES);

    expect(frame?.windows).toEqual([
      { window: { center: 40, width: 80 }, explanation: "BRAIN" },
      { window: { center: 600, width: 2800 }, explanation: "BONE" },
    ]);
    expect(frame?.windows[0]?.window).toBe(frame?.window);
    expect(framesOf(aCt({ ...explained, ...color }), SERIES)[0]?.windows).toEqual([]);
  });

  test("whose first window is too narrow still has the others", () => {
    const [frame] = framesOf(aCt({ "00281051": { vr: "DS", Value: [0.5, 2800] } }), SERIES);

    expect(frame).toMatchObject({ window: undefined, displayIgnored: "window" });
    expect(frame?.windows).toEqual([{ window: { center: 600, width: 2800 }, explanation: "" }]);
  });

  test("of a dose counts in its grid's scaling and unit", () => {
    const dose = (units: string) =>
      framesOf(aCt({ "3004000E": { vr: "DS", Value: [2e-6] }, "30040002": { vr: "CS", Value: [units] } }), SERIES)[0]
        ?.rescale;

    expect(dose("GY")).toEqual({ slope: 2e-6, intercept: 0, type: "Gy", told: true });
    expect(dose("RELATIVE")?.type).toBe("US");
  });

  test("without Rescale stands for its stored values, which nobody told", () => {
    const untold = { "00281052": { vr: "DS" }, "00281053": { vr: "DS" } };
    const rescaleIn = (changes: JsonDataSet) => framesOf(aCt(changes), SERIES)[0]?.rescale;

    expect(rescaleIn(untold)).toEqual({ slope: 1, intercept: 0, type: undefined, told: false });
    expect(rescaleIn({})).toMatchObject({ told: true });
    expect(rescaleIn({ ...untold, "00281052": { vr: "DS", Value: [0] } })).toMatchObject({ told: true });
  });

  test("has the unit of a mapping to the real world that leaves its values as they are", () => {
    const mapped = (slope: number) => ({
      "00281052": { vr: "DS" },
      "00409096": {
        vr: "SQ",
        Value: [
          {
            "00409224": { vr: "FD", Value: [0] },
            "00409225": { vr: "FD", Value: [slope] },
            "004008EA": { vr: "SQ", Value: [{ "00080100": { vr: "SH", Value: ["mm2/s"] } }] },
          },
        ],
      },
    });

    expect(framesOf(aCt(mapped(1)), SERIES)[0]?.rescale.type).toBe("mm2/s");
    expect(framesOf(aCt(mapped(2)), SERIES)[0]?.rescale.type).toBeUndefined();
  });

  test("of floating point numbers says so", () => {
    const float = { "7FE00008": { vr: "OF", BulkDataURI: "/bulk" }, "00280100": { vr: "US" } };

    expect(framesOf(aCt(float), SERIES)[0]?.pixels).toMatchObject({ isFloat: true, bitsAllocated: 32 });
  });

  test("is as high by its width as its pixels are apart, else as it says", () => {
    const told = { "00280030": { vr: "DS" }, "00280034": { vr: "IS", Value: [4, 3] } };

    expect(framesOf(aCt(), SERIES)[0]?.aspect).toBe(2);
    expect(framesOf(aCt(told), SERIES)[0]?.aspect).toBeCloseTo(4 / 3);
    expect(framesOf(aCt({ ...told, "00280034": { vr: "IS", Value: [0, 3] } }), SERIES)[0]?.aspect).toBe(1);
  });

  test.each([
    ["whole numbers of sixteen bits, shifted by whole units", {}, false],
    ["a slope", { "00281053": { vr: "DS", Value: [0.684] } }, true],
    ["a fraction to be added", { "00281052": { vr: "DS", Value: [0.5] } }, true],
    ["thirty-two bits", { "00280100": { vr: "US", Value: [32] } }, true],
    ["PET", { "00080060": { vr: "CS", Value: ["PT"] } }, true],
    ["color", { "00280004": { vr: "CS", Value: ["RGB"] }, "00280002": { vr: "US", Value: [3] } }, false],
  ])("of %s wants levels or not", (_, changes, wanted) => {
    const [frame] = framesOf(aCt(changes), SERIES);

    expect(frame && wantsLevels(frame)).toBe(wanted);
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

  test("a vector of the frames' times tells the rate, too, on average", () => {
    const cine = aCt({ "00280008": { vr: "IS", Value: [3] }, "00181065": { vr: "DS", Value: [0, 60, 40] } });

    expect(framesOf(cine, SERIES)[0]?.cineRate).toBe(20);
    expect(framesOf(aCt({ "00181065": { vr: "DS", Value: [0] } }), SERIES)[0]?.cineRate).toBeUndefined();
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
