// Lengths: from two places in an image to millimetres, and how far that figure can be trusted.

import type { ImagePoint } from "./geometry";

/**
 * Where a length's millimetres come from.
 *
 * patient: Pixel Spacing, in the plane of the patient. detector: Imager Pixel Spacing of a projection, at the
 * detector, so larger than the body part. region: an ultrasound region's physical delta. none: pixels only.
 */
export type Calibration = "patient" | "detector" | "region" | "none";

export interface PixelSpacing {
  readonly rowMm: number;
  readonly columnMm: number;
  readonly calibration: Exclude<Calibration, "none">;
}

/** A calibrated rectangle of an ultrasound image (PS3.3 C.8.5.5), in pixels, edges included. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly columnMm: number;
  readonly rowMm: number;
}

export interface Length {
  readonly value: number;
  readonly unit: "mm" | "px";
  readonly calibration: Calibration;
}

function contains(region: Region, point: ImagePoint): boolean {
  return (
    point.column >= region.left && point.column <= region.right && point.row >= region.top && point.row <= region.bottom
  );
}

/** Millimetres of a pixel's sides, or 1 and 1 where nothing says. */
export interface Scale {
  readonly rowMm: number;
  readonly columnMm: number;
  readonly unit: "mm" | "px";
  readonly calibration: Calibration;
}

const PIXELS: Scale = { rowMm: 1, columnMm: 1, unit: "px", calibration: "none" };

/**
 * The scale that holds for all of some places.
 *
 * An ultrasound region counts only when it holds all of them; otherwise the image's spacing; otherwise pixels.
 * An image with regions and no spacing never borrows a region's scale for what leaves it.
 */
export function scaleOf(
  places: readonly ImagePoint[],
  spacing: PixelSpacing | undefined,
  regions: readonly Region[] = [],
): Scale {
  const region = regions.find((candidate) => places.every((place) => contains(candidate, place)));
  if (region) return { rowMm: region.rowMm, columnMm: region.columnMm, unit: "mm", calibration: "region" };
  return spacing && regions.length === 0 ? { ...spacing, unit: "mm" } : PIXELS;
}

/** The length between two places, in the scale that holds for both. */
export function lengthBetween(
  from: ImagePoint,
  to: ImagePoint,
  spacing: PixelSpacing | undefined,
  regions: readonly Region[] = [],
): Length {
  const { rowMm, columnMm, unit, calibration } = scaleOf([from, to], spacing, regions);
  return { value: Math.hypot((to.column - from.column) * columnMm, (to.row - from.row) * rowMm), unit, calibration };
}
