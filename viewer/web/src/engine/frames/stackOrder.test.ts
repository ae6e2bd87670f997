import { describe, expect, test } from "vitest";
import type { Orientation, Vector } from "./geometry";
import { inStackOrder, type Placed, stackWarnings } from "./stackOrder";

const AXIAL: Orientation = { row: [1, 0, 0], column: [0, 1, 0] };

function aSlice(zMm: number | undefined, changes: Partial<Placed> = {}): Placed {
  return {
    instanceNumber: undefined,
    frameNumber: 1,
    position: zMm === undefined ? undefined : [0, 0, zMm],
    orientation: zMm === undefined ? undefined : AXIAL,
    sopInstanceUid: `2.25.${zMm ?? 0}`,
    ...changes,
  };
}

function heights(frames: readonly Placed[]): (number | undefined)[] {
  return frames.map((frame) => frame.position?.[2]);
}

function stackAt(...zMm: number[]): Placed[] {
  return zMm.map((z) => aSlice(z));
}

describe("the order of a stack", () => {
  test("follows positions along the normal, whatever arrived first", () => {
    expect(heights(inStackOrder(stackAt(15, 5, 10)))).toEqual([5, 10, 15]);
  });

  test("starts where the instance numbers start", () => {
    const descending = [
      aSlice(5, { instanceNumber: 3 }),
      aSlice(15, { instanceNumber: 1 }),
      aSlice(10, { instanceNumber: 2 }),
    ];

    expect(heights(inStackOrder(descending))).toEqual([15, 10, 5]);
  });

  test("trusts positions rather than wrong instance numbers", () => {
    const muddled = [
      aSlice(5, { instanceNumber: 1 }),
      aSlice(15, { instanceNumber: 2 }),
      aSlice(10, { instanceNumber: 3 }),
      aSlice(20, { instanceNumber: 4 }),
    ];

    expect(heights(inStackOrder(muddled))).toEqual([5, 10, 15, 20]);
  });

  test("falls back to instance numbers when one slice has no position", () => {
    const frames = [aSlice(10, { instanceNumber: 2 }), aSlice(undefined, { instanceNumber: 1 })];

    expect(inStackOrder(frames).map((frame) => frame.instanceNumber)).toEqual([1, 2]);
  });

  test("falls back to instance numbers when slices are not parallel", () => {
    const coronal: Orientation = { row: [1, 0, 0], column: [0, 0, -1] };
    const frames = [aSlice(0, { instanceNumber: 2 }), aSlice(9, { instanceNumber: 1, orientation: coronal })];

    expect(inStackOrder(frames).map((frame) => frame.instanceNumber)).toEqual([1, 2]);
  });

  test("keeps a cine at one place in the order of its frames", () => {
    const frames = [3, 1, 2].map((frameNumber) => aSlice(7, { frameNumber, sopInstanceUid: "2.25.9" }));

    expect(inStackOrder(frames).map((frame) => frame.frameNumber)).toEqual([1, 2, 3]);
  });

  test("is the same for every order of arrival when numbers are equal", () => {
    const a = aSlice(undefined, { sopInstanceUid: "2.25.1" });
    const b = aSlice(undefined, { sopInstanceUid: "2.25.2" });

    expect(inStackOrder([a, b])).toEqual(inStackOrder([b, a]));
  });
});

describe("the warnings of a stack", () => {
  test("are none when slices are evenly spaced, rounding included", () => {
    expect(stackWarnings(stackAt(0, 5, 10.001, 14.999, 20))).toEqual([]);
  });

  test("are none when there is nothing to compare", () => {
    expect(stackWarnings(stackAt(0, 5))).toEqual([]);
    expect(stackWarnings([aSlice(undefined), aSlice(undefined), aSlice(undefined)])).toEqual([]);
  });

  test("name the tilt of the gantry", () => {
    const angle = (18.5 * Math.PI) / 180;
    const orientation: Orientation = { row: [1, 0, 0], column: [0, Math.cos(angle), -Math.sin(angle)] };
    const tilted = [0, 4, 8, 12].map((z) => aSlice(z, { orientation }));

    const warnings = stackWarnings(tilted);

    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ kind: "tilt" });
    expect(warnings[0]?.kind === "tilt" && warnings[0].degrees).toBeCloseTo(18.5, 6);
  });

  test("name uneven spacing with its ends", () => {
    expect(stackWarnings(stackAt(0, 4, 8, 14, 20, 25))).toEqual([
      { kind: "unevenSpacing", smallestMm: 4, largestMm: 6 },
    ]);
  });

  test("name a gap where a slice is missing, and nothing else", () => {
    expect(stackWarnings(stackAt(0, 5, 10, 20, 25))).toEqual([{ kind: "gap", afterIndex: 2, gapMm: 10, usualMm: 5 }]);
  });

  test("name slices at one place", () => {
    expect(stackWarnings(stackAt(0, 5, 5, 10))).toEqual([{ kind: "samePosition" }]);
  });

  test("name mixed orientations", () => {
    const position: Vector = [0, 0, 3];
    const other = aSlice(0, { position, orientation: { row: [0, 1, 0], column: [0, 0, -1] } });

    expect(stackWarnings([...stackAt(0, 5), other])).toEqual([{ kind: "mixedOrientation" }]);
  });
});
