// Lengths: from two places in an image to millimetres, and how far that figure can be trusted.

import type { ImagePoint } from "./geometry";

/**
 * Where a length's millimetres come from.
 *
 * patient: Pixel Spacing, in the plane of the patient. detector: Imager Pixel Spacing of a projection, at the
 * detector, so larger than the body part. region: an ultrasound region's physical delta. none: pixels only.
 */
type Calibration = "patient" | "detector" | "region" | "none";

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

function distance(from: ImagePoint, to: ImagePoint, rowMm: number, columnMm: number): number {
  return Math.hypot((to.column - from.column) * columnMm, (to.row - from.row) * rowMm);
}

/**
 * The length between two places.
 *
 * An ultrasound region counts only when it holds both ends; otherwise the image's spacing; otherwise pixels.
 * An image with regions and no spacing never borrows a region's scale for a line that leaves it.
 */
export function lengthBetween(
  from: ImagePoint,
  to: ImagePoint,
  spacing: PixelSpacing | undefined,
  regions: readonly Region[] = [],
): Length {
  const region = regions.find((candidate) => contains(candidate, from) && contains(candidate, to));
  if (region) return { value: distance(from, to, region.rowMm, region.columnMm), unit: "mm", calibration: "region" };
  if (spacing && regions.length === 0) {
    const value = distance(from, to, spacing.rowMm, spacing.columnMm);
    return { value, unit: "mm", calibration: spacing.calibration };
  }
  return { value: distance(from, to, 1, 1), unit: "px", calibration: "none" };
}
