import { describe, expect, test } from "vitest";
import type { Frame } from "../frames/frame";
import { framesOf } from "../frames/frame";
import { hasTiers, loadingSteps } from "./tiers";

function aFrame(changed: Record<string, unknown> = {}): Frame {
  const value = (vr: string, ...Value: unknown[]) => ({ vr, Value });
  const [frame] = framesOf(
    {
      "00080018": value("UI", "1.2.3"),
      "00280002": value("US", 1),
      "00280004": value("CS", "MONOCHROME2"),
      "00280010": value("US", 512),
      "00280011": value("US", 512),
      "00280100": value("US", 16),
      ...changed,
    },
    "/series",
  );
  if (!frame) throw new Error("the data set is an image");
  return frame;
}

describe("steps of resolution", () => {
  test("are for grayscale that is stored without loss and not tiny", () => {
    expect(hasTiers(aFrame())).toBe(true);
    expect(hasTiers(aFrame({ "00280004": { vr: "CS", Value: ["MONOCHROME1"] } }))).toBe(true);
    expect(hasTiers(aFrame({ "00280002": { vr: "US", Value: [3] }, "00280004": { vr: "CS", Value: ["RGB"] } }))).toBe(
      false,
    );
    expect(hasTiers(aFrame({ "00280004": { vr: "CS", Value: ["PALETTE COLOR"] } }))).toBe(false);
    expect(hasTiers(aFrame({ "00282110": { vr: "CS", Value: ["01"] } }))).toBe(false);
    expect(hasTiers(aFrame({ "00280010": { vr: "US", Value: [64] } }))).toBe(true);
    expect(hasTiers(aFrame({ "00280010": { vr: "US", Value: [16] } }))).toBe(false);
  });

  test("begin with all of the frame that is looked at, then a quarter of each other, a half of each, and all", () => {
    const steps = loadingSteps(["c", "d", "b"]).map((step) => `${step.imageId}${step.tier}${step.alone ? "!" : ""}`);

    expect(steps).toEqual(["c2!", "d0", "b0", "d1", "b1", "d2", "b2"]);
  });

  test("of nothing are nothing", () => {
    expect(loadingSteps([])).toEqual([]);
  });
});
