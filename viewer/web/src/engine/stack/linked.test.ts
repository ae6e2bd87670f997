import { describe, expect, test } from "vitest";
import { crossing, linkedIndex, type Plane, type Slice } from "./linked";

const AXIAL = { row: [1, 0, 0], column: [0, 1, 0] } as const;
const SAGITTAL = { row: [0, 1, 0], column: [0, 0, -1] } as const;

function axial(count: number, stepMm: number, reference: string, startMm = 0): Slice[] {
  return Array.from({ length: count }, (_, index) => ({
    position: [0, 0, startMm + index * stepMm] as const,
    orientation: AXIAL,
    frameOfReferenceUid: reference,
  }));
}

describe("stacks that are scrolled together", () => {
  test("show the same place in one frame of reference, whatever their spacing and order", () => {
    const [thick, thin] = [axial(20, 5, "a"), axial(100, 1, "a").toReversed()];

    expect(linkedIndex(thick, 4, thin, { from: 0, to: 0 })).toBe(79);
    expect(thin[79]?.position?.[2]).toBe(20);
  });

  test("keep the distance that they had when they were linked where they share no frame of reference", () => {
    const [now, prior] = [axial(20, 5, "a"), axial(40, 2.5, "b", 300)];

    expect(linkedIndex(now, 12, prior, { from: 10, to: 6 })).toBe(10);
    expect(linkedIndex(now, 0, prior, { from: 10, to: 6 })).toBe(0);
  });

  test("go by slices where nothing says where they lie", () => {
    const bare = Array.from({ length: 9 }, () => ({
      position: undefined,
      orientation: undefined,
      frameOfReferenceUid: undefined,
    }));

    expect(linkedIndex(bare, 5, bare, { from: 2, to: 4 })).toBe(7);
    expect(linkedIndex(bare, 8, bare, { from: 2, to: 4 })).toBe(8);
    expect(linkedIndex(bare, 3, [], { from: 2, to: 4 })).toBeUndefined();
  });

  test("stay where they are when their planes cross", () => {
    const sagittal = [{ position: [5, 0, 0] as const, orientation: SAGITTAL, frameOfReferenceUid: "a" }];

    expect(linkedIndex(axial(20, 5, "a"), 4, sagittal, { from: 0, to: 0 })).toBeUndefined();
  });
});

describe("a reference line", () => {
  const slice: Plane = {
    position: [-50, -50, 10],
    orientation: AXIAL,
    frameOfReferenceUid: "a",
    widthMm: 100,
    heightMm: 100,
  };
  const side: Plane = {
    position: [5, -80, 90],
    orientation: SAGITTAL,
    frameOfReferenceUid: "a",
    widthMm: 160,
    heightMm: 180,
  };

  test("is where a slice cuts through the plane that is looked at", () => {
    const ends = crossing(slice, side)?.toSorted((a, b) => a[1] - b[1]);

    const near = (...place: number[]) => place.map((value) => expect.closeTo(value, 9));
    expect(ends).toEqual([near(5, -50, 10), near(5, 50, 10)]);
  });

  test("is nowhere for parallel planes, planes that do not meet and other frames of reference", () => {
    expect(crossing(slice, { ...slice, position: [0, 0, 20] })).toBeUndefined();
    expect(crossing(slice, { ...side, position: [80, -80, 90] })).toBeUndefined();
    expect(crossing(slice, { ...side, frameOfReferenceUid: "b" })).toBeUndefined();
  });
});
