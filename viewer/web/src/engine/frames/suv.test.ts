import { describe, expect, test } from "vitest";
import type { JsonDataSet } from "./dicomJson";
import { uptakeOf } from "./suv";

const F18_S = 6586.2;

function one(value: unknown) {
  return { vr: "UN", Value: [value] };
}

/** 70 kg, 350 MBq of F-18 an hour before the scan. */
function pet(more: JsonDataSet = {}, given: JsonDataSet = {}): JsonDataSet {
  return {
    "00080060": one("PT"),
    "00080021": one("20261122"),
    "00080031": one("100000"),
    "00080022": one("20261122"),
    "00080032": one("100012.5"),
    "00101030": one(70),
    "00280051": { vr: "CS", Value: ["ATTN", "SCAT", "DECY"] },
    "00541001": one("BQML"),
    "00541102": one("START"),
    "00540016": {
      vr: "SQ",
      Value: [{ "00181072": one("090000"), "00181074": one(350e6), "00181075": one(F18_S), ...given }],
    },
    ...more,
  };
}

const LEFT = 350e6 * 2 ** (-3600 / F18_S);

describe("the SUV by body weight", () => {
  test("is the activity over what is left of the dose for each gram, when values are corrected to the scan's start", () => {
    expect(uptakeOf(pet())).toEqual({ unit: "Bq/ml", factor: 70_000 / LEFT, why: undefined });
  });

  test("is over the dose itself, when values are corrected to the injection", () => {
    expect(uptakeOf(pet({ "00541102": one("ADMIN") }))?.factor).toBe(70_000 / 350e6);
  });

  test("takes day and time of the injection together, where they are", () => {
    const before = pet(
      { "00080031": one("003000"), "00080032": one("003000") },
      { "00181078": one("20261121233000.00") },
    );
    expect(uptakeOf(before)?.factor).toBeCloseTo(70_000 / LEFT, 12);
  });

  test("takes an injection later than the scan to be of the evening before", () => {
    const night = pet({ "00080031": one("003000"), "00080032": one("003000") }, { "00181072": one("233000") });
    expect(uptakeOf(night)?.factor).toBeCloseTo(70_000 / LEFT, 12);
  });

  test("is the value itself, where the image has it already", () => {
    expect(uptakeOf(pet({ "00541001": one("GML") }))).toMatchObject({ unit: "g/ml", factor: 1 });
  });

  const missing: readonly (readonly [string, JsonDataSet])[] = [
    ["units", pet({ "00541001": one("CNTS") })],
    ["units", pet({ "00541001": one("GML"), "00541006": one("BSA") })],
    ["corrections", pet({ "00280051": { vr: "CS", Value: ["DECY"] } })],
    ["decay", pet({ "00541102": one("NONE") })],
    ["weight", pet({ "00101030": one(0) })],
    ["dose", pet({}, { "00181074": { vr: "DS" } })],
    ["dose", pet({}, { "00181074": one(350) })],
    ["halfLife", pet({}, { "00181075": { vr: "DS" } })],
    ["time", pet({}, { "00181072": { vr: "TM" } })],
    ["time", pet({ "00080031": one("110000") })],
    ["time", pet({}, { "00181078": one("20261101090000") })],
  ];

  test.each(missing)("is not made up, for want of %s", (why, instance) => {
    expect(uptakeOf(instance)).toMatchObject({ factor: undefined, why });
  });

  test("is nothing that a CT has", () => {
    expect(uptakeOf({ "00080060": one("CT") })).toBeUndefined();
  });
});
