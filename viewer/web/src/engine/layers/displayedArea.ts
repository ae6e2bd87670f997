// The part of an image that a presentation state shows, and how large (Displayed Area module, PS3.3 C.10.4). Pure.

import { items, type JsonDataSet, number, numbers, text } from "../frames/dicomJson";
import type { Frame } from "../frames/frame";
import { imagesIn } from "./references";

/** Two ratios of sides that differ by less look alike. */
const ASPECT_TOLERANCE = 0.01;
const MAGNIFICATION_MAX = 100;

export interface DisplayedArea {
  /** Undefined: every image of the state. */
  readonly images: ReadonlySet<string> | undefined;
  /** Columns and rows from the corner of the first pixel; they may lie outside of the image. */
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly mode: "fit" | "trueSize" | "magnify";
  /** Of MAGNIFY: screen pixels for one of the image. */
  readonly magnification: number | undefined;
  /** Height of a pixel by its width, where the state says it. */
  readonly aspect: number | undefined;
  /** Width of a pixel as it is to be displayed in true size, where the state says it. */
  readonly columnMm: number | undefined;
}

/** What of an image is shown, and what of it is not as the state wants it. */
export interface ShownPart {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Screen pixels for one of the image; undefined: as large as fits. */
  readonly magnification: number | undefined;
  /**
   * "part": as it is wanted; "inTrueSize": by the display as it was measured; "trueSize": not, as nobody did, or the image has
   * no size; "aspect": no picture is stretched.
   */
  readonly told: "part" | "inTrueSize" | "trueSize" | "aspect";
}

function modeOf(value: string | undefined): DisplayedArea["mode"] {
  if (value === "TRUE SIZE") return "trueSize";
  return value === "MAGNIFY" ? "magnify" : "fit";
}

function aspectOf(area: JsonDataSet): number | undefined {
  const [spacing, ratio] = [numbers(area, "00700101"), numbers(area, "00700102")];
  const [height, width] = spacing.length === 2 ? spacing : ratio;
  return height && width && height > 0 && width > 0 ? height / width : undefined;
}

/** Corners are those of the picture as it is turned, so either may have the greater column or row. */
function areaOf(area: JsonDataSet): DisplayedArea | undefined {
  const [[fromColumn, fromRow], [toColumn, toRow]] = [numbers(area, "00700052"), numbers(area, "00700053")];
  if (fromColumn === undefined || fromRow === undefined || toColumn === undefined || toRow === undefined)
    return undefined;
  const images = imagesIn(area);
  const magnification = number(area, "00700103");
  const isUsable = magnification !== undefined && magnification > 0 && magnification <= MAGNIFICATION_MAX;
  const mode = modeOf(text(area, "00700100"));
  return {
    images: images.size > 0 ? images : undefined,
    left: Math.min(fromColumn, toColumn) - 1,
    top: Math.min(fromRow, toRow) - 1,
    right: Math.max(fromColumn, toColumn),
    bottom: Math.max(fromRow, toRow),
    mode: mode === "magnify" && !isUsable ? "fit" : mode,
    magnification: mode === "magnify" && isUsable ? magnification : undefined,
    aspect: aspectOf(area),
    columnMm: numbers(area, "00700101")[1],
  };
}

/** Pixel Origin Interpretation VOLUME counts in the matrix of a whole slide: such areas are not shown. */
export function displayedAreasOf(instance: JsonDataSet): readonly DisplayedArea[] {
  return items(instance, "0070005A")
    .filter((area) => text(area, "00480301") !== "VOLUME")
    .flatMap((area) => areaOf(area) ?? []);
}

/** Why an image has no true size: it does not say how large it is in the patient, or nobody measured the display. */
export type SizeRefusal = "unsized" | "unmeasured";

/**
 * Screen pixels for one of an image in true size, or why that is not known.
 *
 * `pixelMm` is how large a pixel of the display was measured to be, `columnMm` how wide one of the image is to be taken for.
 */
export function trueMagnification(image: Frame, pixelMm: number | undefined, columnMm?: number): number | SizeRefusal {
  const side = columnMm ?? (image.spacing?.calibration === "patient" ? image.spacing.columnMm : undefined);
  if (side === undefined || !(side > 0)) return "unsized";
  if (pixelMm === undefined) return "unmeasured";
  const magnification = side / pixelMm;
  return magnification <= MAGNIFICATION_MAX ? magnification : "unsized";
}

/**
 * The part of an image that is shown; undefined when that is all of it, as large as fits.
 *
 * `pixelMm` is how large a pixel of the display was measured to be.
 */
export function partOf(areas: readonly DisplayedArea[], image: Frame, pixelMm?: number): ShownPart | undefined {
  const area = areas.find(({ images }) => !images || images.has(image.sopInstanceUid));
  if (!area) return undefined;
  const { left, top, right, bottom, mode, aspect } = area;
  const real = mode === "trueSize" ? trueMagnification(image, pixelMm, area.columnMm) : "unsized";
  const isReal = typeof real === "number";
  const magnification = isReal ? real : area.magnification;
  const { rows, columns } = image.pixels;
  const isStretched = aspect !== undefined && Math.abs(aspect / image.aspect - 1) > ASPECT_TOLERANCE;
  const isWhole = left === 0 && top === 0 && right === columns && bottom === rows;
  if (isWhole && mode === "fit" && !isStretched) return undefined;
  const sized = mode === "trueSize" ? (isReal ? "inTrueSize" : "trueSize") : "part";
  const told = isStretched ? "aspect" : sized;
  return { left, top, right, bottom, magnification, told };
}
