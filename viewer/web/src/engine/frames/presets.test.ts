import { describe, expect, test } from "vitest";
import { presetsOf } from "./presets";

const IMAGE = { own: { center: 2048, width: 1000 }, lowest: 0, highest: 4095 };

// A second transcription: a slip in the table is a wrong picture.
const CT_BY_NAME: Record<string, [number, number]> = {
  abdomen: [40, 400],
  lung: [-600, 1500],
  bone: [400, 2000],
  brain: [40, 80],
  mediastinum: [50, 350],
  liver: [60, 160],
  stroke: [35, 40],
  temporalBone: [600, 4000],
  angiography: [300, 600],
};

describe("presets", () => {
  test("of CT are fixed windows in Hounsfield units", () => {
    const fixed = presetsOf("CT", "HU").flatMap((preset) =>
      preset.fixed ? [[preset.name, [preset.fixed.center, preset.fixed.width]]] : [],
    );

    expect(Object.fromEntries(fixed)).toEqual(CT_BY_NAME);
  });

  test("of a CT that is not in Hounsfield units come from the image", () => {
    expect(presetsOf("CT", "US").every((preset) => preset.fixed === undefined)).toBe(true);
  });

  test("of other modalities come from the image", () => {
    const full = presetsOf("CR").find((preset) => preset.name === "full");

    expect(full?.window(IMAGE)).toEqual({ center: 2048, width: 4096 });
  });

  test.each(["CT", "MR", "CR", "US"])(
    "of %s have each a digit of their own, zero being the image's window",
    (modality) => {
      const presets = presetsOf(modality);

      expect(new Set(presets.map((preset) => preset.key)).size).toBe(presets.length);
      expect(presets.find((preset) => preset.key === "0")?.window(IMAGE)).toEqual(IMAGE.own);
    },
  );
});
