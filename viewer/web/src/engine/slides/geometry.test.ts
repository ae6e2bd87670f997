import { describe, expect, test } from "vitest";
import {
  fromSlideMm,
  labelSide,
  micronsPerScreenPixel,
  nativePower,
  placementOf,
  scaleBar,
  toSlideMm,
  uprightDegrees,
} from "./geometry";
import { aSlide } from "./slide.fixture";

// [Image Orientation (Slide), degrees clockwise, the label's side]
const ORIENTATIONS: readonly [readonly number[] | null, number, string | undefined][] = [
  [[0, 1, 0, 1, 0, 0], 0, "right"],
  [[-0, -1, 0, -1, 0, 0], 180, "right"],
  [[-1, 0, 0, 0, 1, 0], 270, "right"],
  [[1, 0, 0, 0, -1, 0], 90, "right"],
  // Seen through the glass from behind: X still points down, the label is where it is.
  [[1, 0, 0, 0, 1, 0], 90, "left"],
  [[0, -1, 0, 1, 0, 0], 0, "left"],
  [null, 0, undefined],
  [[1, 0, 0, 1, 0, 0], 0, undefined],
  [[1, 0, 0], 0, undefined],
  [[0, 0, 1, 0, 1, 0], 0, undefined],
];

describe("which way up a slide is shown", () => {
  test.each(ORIENTATIONS)("%j is turned by %d degrees", (orientation, degrees, side) => {
    expect(uprightDegrees(orientation)).toBe(degrees);
    expect(labelSide(orientation)).toBe(side);
  });

  test("is what dicom-microscopy-viewer 0.48 turns its view by", () => {
    const turned = ([rowX, , , columnX]: readonly number[]) =>
      (Math.atan2(-(columnX ?? 0), rowX ?? 0) * 180) / Math.PI + 90;

    for (const [orientation, , side] of ORIENTATIONS) {
      if (!orientation || side === undefined) continue;
      expect((turned(orientation) + 360) % 360).toBeCloseTo(uprightDegrees(orientation), 6);
    }
  });

  test.each([
    [0, false, "right"],
    [90, false, "bottom"],
    [180, false, "left"],
    [270, false, "top"],
    [0, true, "left"],
    [90, true, "bottom"],
  ] as const)("tells where the label went when one turned it by %d, mirrored %s", (degrees, mirrored, side) => {
    expect(labelSide([0, 1, 0, 1, 0, 0], degrees, mirrored)).toBe(side);
  });

  test("keeps a slide that lay a little askew a little askew", () => {
    const askew = Math.PI / 60;
    const orientation = [Math.sin(askew), Math.cos(askew), 0, Math.cos(askew), -Math.sin(askew), 0];

    expect(uprightDegrees(orientation)).toBeCloseTo(3, 3);
  });
});

describe("a place on the glass", () => {
  const slide = aSlide({ orientation: [0, -1, 0, -1, 0, 0], originMm: [25, 50], mpp: [0.5, 0.25] });

  test("is counted from the center of the first pixel", () => {
    const placement = placementOf(slide);

    expect(placement && toSlideMm(placement, { x: 0.5, y: 0.5 })).toEqual([25, 50]);
  });

  test("goes along a row by the spacing of columns, and down a column by that of rows", () => {
    const placement = placementOf(slide);

    const place = placement && toSlideMm(placement, { x: 1000.5, y: 2000.5 });

    expect(place?.[0]).toBeCloseTo(25 - 2000 * 0.00025, 9);
    expect(place?.[1]).toBeCloseTo(50 - 1000 * 0.0005, 9);
  });

  test.each(ORIENTATIONS.filter(([, , side]) => side))("is the same pixel again (%j)", (orientation) => {
    const placement = placementOf({ ...slide, orientation });
    const point = { x: 1234.25, y: 77.75 };

    const again = placement && fromSlideMm(placement, toSlideMm(placement, point));

    expect(again?.x).toBeCloseTo(point.x, 6);
    expect(again?.y).toBeCloseTo(point.y, 6);
  });

  test.each([{ originMm: null }, { mpp: null }, { orientation: null }, { mpp: [0, 0] }])(
    "is unknown when the header does not say it (%j)",
    (lacking) => {
      expect(placementOf({ ...slide, ...lacking })).toBeUndefined();
    },
  );
});

describe("magnification", () => {
  test("is that of microns per pixel, else of the objective, else unknown", () => {
    expect(nativePower(aSlide({ mpp: [0.25, 0.25], objective: 20 }))).toBe(40);
    expect(nativePower(aSlide({ mpp: null, objective: 20 }))).toBe(20);
    expect(nativePower(aSlide({ mpp: null, objective: null }))).toBeUndefined();
  });

  test("makes a screen pixel smaller as one goes nearer", () => {
    expect(micronsPerScreenPixel(aSlide({ mpp: [0.5, 0.5] }), 0.25)).toBe(2);
    expect(micronsPerScreenPixel(aSlide({ mpp: null }), 0.25)).toBeUndefined();
  });
});

describe("the scale bar", () => {
  test.each([
    [0.5, 120, 50, 100],
    [1, 100, 100, 100],
    [1, 99, 50, 50],
    [0.25, 120, 20, 80],
    [31, 120, 2000, 2000 / 31],
  ])("of %d microns a pixel and at most %d pixels is %d microns", (microns, lengthMax, length, pixels) => {
    const bar = scaleBar(microns, lengthMax);

    expect(bar.microns).toBeCloseTo(length, 9);
    expect(bar.length).toBeCloseTo(pixels, 9);
    expect(bar.length).toBeLessThanOrEqual(lengthMax + 1e-6);
  });
});
