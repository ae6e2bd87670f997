// Slides in space: microns, slide millimetres, magnification, and which way up a slide is shown. Pure.
//
// The slide's coordinate system (PS3.3 C.8.12.2.1) has its origin at a corner of the glass; X and Y run along its edges,
// the label lies at the far end of Y.

import { turned } from "./camera";
import type { Slide, SlidePoint } from "./slide";

/** How a Total Pixel Matrix lies in the slide's coordinate system. */
export interface Placement {
  /** Direction cosines in X and Y of going right along a row, and down a column. */
  readonly row: readonly [number, number];
  readonly column: readonly [number, number];
  /** Center of the first pixel, in millimetres. */
  readonly originMm: readonly [number, number];
  /** Distance of neighbours along a row, and down a column. */
  readonly spacingMm: readonly [number, number];
}

interface Cosines {
  readonly row: readonly [number, number];
  readonly column: readonly [number, number];
}

/** The cosines of an orientation that is one: two unit vectors at right angles in the plane of the glass. */
function cosinesOf(orientation: readonly number[] | null): Cosines | undefined {
  const [rowX, rowY, rowZ, columnX, columnY, columnZ] = orientation ?? [];
  if (rowX === undefined || rowY === undefined || columnX === undefined || columnY === undefined) return undefined;
  const isUnit = (x: number, y: number) => Math.abs(Math.hypot(x, y) - 1) < 0.01;
  const isFlat = Math.abs(rowZ ?? 0) < 0.01 && Math.abs(columnZ ?? 0) < 0.01;
  const areSquare = Math.abs(rowX * columnX + rowY * columnY) < 0.01;
  if (!isUnit(rowX, rowY) || !isUnit(columnX, columnY) || !isFlat || !areSquare) return undefined;
  return { row: [rowX, rowY], column: [columnX, columnY] };
}

/** Where the slide's pixels are on the glass; undefined when its header does not say. */
export function placementOf(slide: Slide): Placement | undefined {
  const cosines = cosinesOf(slide.orientation);
  const [originX, originY] = slide.originMm ?? [];
  const [across, down] = slide.mpp ?? [];
  if (!cosines || originX === undefined || originY === undefined || !across || !down) return undefined;
  return { ...cosines, originMm: [originX, originY], spacingMm: [across / 1000, down / 1000] };
}

/** A place of the Total Pixel Matrix in slide millimetres (PS3.3 C.8.12.2.1.1); the first pixel's center is the origin. */
export function toSlideMm(placement: Placement, point: SlidePoint): readonly [number, number] {
  const across = (point.x - 0.5) * placement.spacingMm[0];
  const down = (point.y - 0.5) * placement.spacingMm[1];
  return [
    placement.originMm[0] + placement.row[0] * across + placement.column[0] * down,
    placement.originMm[1] + placement.row[1] * across + placement.column[1] * down,
  ];
}

/** The inverse of `toSlideMm`. */
export function fromSlideMm(placement: Placement, [x, y]: readonly [number, number]): SlidePoint {
  const { row, column, originMm, spacingMm } = placement;
  const [dx, dy] = [x - originMm[0], y - originMm[1]];
  const area = row[0] * column[1] - row[1] * column[0];
  const across = (dx * column[1] - dy * column[0]) / area;
  const down = (dy * row[0] - dx * row[1]) / area;
  return { x: across / spacingMm[0] + 0.5, y: down / spacingMm[1] + 0.5 };
}

/**
 * How far to turn the stored matrix clockwise so that it is upright, in degrees from 0 below 360.
 *
 * Upright is X pointing down: the slide lies lengthwise with its label to the right, as Slim and
 * dicom-microscopy-viewer show it. A slide that does not say how it lay is shown as it is stored. Nothing is ever
 * mirrored for it: an orientation that looks through the glass from behind is what the scanner said.
 */
export function uprightDegrees(orientation: readonly number[] | null): number {
  const cosines = cosinesOf(orientation);
  if (!cosines) return 0;
  const degrees = 90 + (Math.atan2(-cosines.column[0], cosines.row[0]) * 180) / Math.PI;
  return (((Math.round(degrees * 1000) / 1000) % 360) + 360) % 360;
}

export type Side = "top" | "right" | "bottom" | "left";

/** At which side of the screen the label lies; undefined when the header does not say. */
export function labelSide(
  orientation: readonly number[] | null,
  degrees = uprightDegrees(orientation),
  mirrored = false,
): Side | undefined {
  const cosines = cosinesOf(orientation);
  if (!cosines) return undefined;
  // Y grows towards the label: its direction in the stored matrix, turned as the matrix is.
  const { x, y } = turned({ x: cosines.row[1], y: cosines.column[1] }, { degrees, mirrored });
  if (Math.abs(x) >= Math.abs(y)) return x > 0 ? "right" : "left";
  return y > 0 ? "bottom" : "top";
}

/** Microns per pixel that one calls 1x: at 40x a pixel of a usual scanner is a quarter of a micron. */
const MICRONS_AT_ONE = 10;

/** What the finest octave's pixels amount to as a power of the objective; undefined when nothing tells it. */
export function nativePower(slide: Slide): number | undefined {
  const across = slide.mpp?.[0];
  if (across) return MICRONS_AT_ONE / across;
  return slide.objective ?? undefined;
}

/** Microns of a screen pixel, along the screen's width, at `zoom` screen pixels per image pixel. */
export function micronsPerScreenPixel(slide: Slide, zoom: number): number | undefined {
  const across = slide.mpp?.[0];
  return across && zoom > 0 ? across / zoom : undefined;
}

const STEPS = [5, 2, 1] as const;

export interface ScaleBar {
  readonly microns: number;
  /** In screen pixels. */
  readonly length: number;
}

/** The longest bar of 1, 2 or 5 times a power of ten that is at most `lengthMax` screen pixels long. */
export function scaleBar(micronsPerPixel: number, lengthMax: number): ScaleBar {
  const most = micronsPerPixel * lengthMax;
  const decade = 10 ** Math.floor(Math.log10(most));
  const step = STEPS.find((one) => one * decade <= most * (1 + 1e-9)) ?? 1;
  return { microns: step * decade, length: (step * decade) / micronsPerPixel };
}
