// One place in the patient, found in other images: on which slice it lies and where on that. Pure.

import type { Frame } from "../frames/frame";
import { dot, type ImagePoint, minus, normalOf, plus, times, unit, type Vector } from "../frames/geometry";

type Positioned = Pick<Frame, "position" | "orientation" | "spacing">;

/** The place in the patient (PS3.3 C.7.6.2.1.1) of a place in the image; undefined when the image does not say. */
export function placeInPatient({ position, orientation, spacing }: Positioned, at: ImagePoint): Vector | undefined {
  if (!(position && orientation) || spacing?.calibration !== "patient") return undefined;
  const across = times(orientation.row, at.column * spacing.columnMm);
  return plus(position, plus(across, times(orientation.column, at.row * spacing.rowMm)));
}

/** Where in the image a place in the patient is (PS3.3 C.7.6.2.1.1), and how far before or behind its plane, millimetres. */
export function placeInImage(
  { position, orientation, spacing }: Positioned,
  place: Vector,
): (ImagePoint & { readonly offMm: number }) | undefined {
  if (!(position && orientation) || spacing?.calibration !== "patient") return undefined;
  const way = minus(place, position);
  return {
    column: dot(orientation.row, way) / spacing.columnMm,
    row: dot(orientation.column, way) / spacing.rowMm,
    offMm: Math.abs(dot(unit(normalOf(orientation)), way)),
  };
}

/** Whether two images are in one space: registered by their Frame of Reference alone, whatever study they are of. */
export function inOneSpace(one: Frame | undefined, other: Frame | undefined): boolean {
  return one?.frameOfReferenceUid !== undefined && one.frameOfReferenceUid === other?.frameOfReferenceUid;
}

/** The slice whose plane is nearest to a place; undefined when none says where it is. */
export function sliceNear(frames: readonly Positioned[], place: Vector): number | undefined {
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, frame] of frames.entries()) {
    const off = placeInImage(frame, place)?.offMm;
    if (off !== undefined && off < least) [best, least] = [index, off];
  }
  return best;
}
