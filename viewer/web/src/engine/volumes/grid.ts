// Where the samples of a stack are in the patient, and whether they make a volume at all. Pure.
//
// Slices may be unevenly spaced, and shifted against each other as a tilted gantry does (PS3.3 C.7.6.2): both are followed
// exactly, so nothing is straightened or filled in.

import type { Frame } from "../frames/frame";
import { dot, isOrthonormal, minus, norm, normalOf, plus, times, type Vector } from "../frames/geometry";
import { GAP_FACTOR } from "../frames/stackOrder";
import { unitOf } from "../marks/marks";

/** A regular grid in each slice; slices at places of their own along the normal. Millimetres. */
export interface Grid {
  /** Samples along a row, rows of a slice, slices. */
  readonly size: readonly [number, number, number];
  /** The center of the first sample of the first slice. */
  readonly origin: Vector;
  readonly row: Vector;
  readonly column: Vector;
  readonly normal: Vector;
  readonly columnMm: number;
  readonly rowMm: number;
  /** How a slice's first sample moves for a millimetre along the normal: the normal itself, unless the gantry leans. */
  readonly lean: Vector;
  /** Where each slice is along the normal, from the first one; rising. */
  readonly places: Float64Array;
  /** The usual distance of two slices. */
  readonly usualMm: number;
}

/** Why a stack is no volume; each is a key of the language files (volumes:refused.*). */
export type Refusal =
  | "few"
  | "unplaced"
  | "mixedOrientation"
  | "mixedSize"
  | "mixedUnits"
  | "samePlace"
  | "crooked"
  | "color"
  | "large";

export type GridOrRefusal =
  | { readonly grid: Grid /** Rising along the normal. */; readonly frames: readonly Frame[] }
  | { readonly refusal: Refusal };

const SLICES_MIN = 3;
/** Samples that are held as volume at most: 1,000 slices of 512 x 512 of two bytes, half a gibibyte. */
const SAMPLES_MAX = 1000 * 512 * 512;
const SAME_DIRECTION = 0.9999;
const SAME_PLACE_MM = 0.001;
/** How far a slice may be off the line through the first and the last one, in pixels. */
const CROOKED_PIXELS_MAX = 1;

type Placed = Frame & { readonly position: Vector };

function differ(frames: readonly Frame[], like: Frame): Refusal | undefined {
  const { orientation, spacing, pixels } = like;
  if (!(orientation && spacing && isOrthonormal(orientation))) return "unplaced";
  const normal = normalOf(orientation);
  for (const frame of frames) {
    if (frame.pixels.samplesPerPixel !== 1 || frame.pixels.photometricInterpretation === "PALETTE COLOR")
      return "color";
    if (!(frame.orientation && frame.position) || frame.spacing?.calibration !== "patient") return "unplaced";
    const turned = dot(frame.orientation.row, orientation.row) < SAME_DIRECTION;
    if (turned || dot(normalOf(frame.orientation), normal) < SAME_DIRECTION) return "mixedOrientation";
    const { rows, columns, photometricInterpretation } = frame.pixels;
    const rescaled =
      Math.abs(frame.spacing.rowMm / spacing.rowMm - 1) + Math.abs(frame.spacing.columnMm / spacing.columnMm - 1);
    const sized = rows === pixels.rows && columns === pixels.columns;
    if (!sized || rescaled > 0.001 || photometricInterpretation !== pixels.photometricInterpretation)
      return "mixedSize";
  }
  return undefined;
}

/**
 * Whether values of these frames count different things, so that they make no one volume.
 *
 * Slopes may differ, as those of PET do: what is compared is what they lead to. A frame that tells no Rescale has stored
 * values, and stands beside others only where these leave their values as they are. Frames whose Modality LUT is damaged
 * do not count here: they are left out once others have come (`Gathering`).
 */
function mixesUnits(stack: readonly Frame[]): boolean {
  const frames = stack.filter(({ displayIgnored }) => displayIgnored !== "modalityLut");
  const units = frames.map((frame) => (frame.modalityLookup ? "lut" : `by rescale, ${unitOf(frame)}`));
  if (new Set(units).size > 1) return true;
  const isStored = ({ modalityLookup, rescale }: Frame) => !(modalityLookup || rescale.told);
  const isScaled = ({ rescale }: Frame) => rescale.slope !== 1 || rescale.intercept !== 0;
  return frames.some(isStored) && frames.some(isScaled);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** The grid of a stack's frames in whatever order, or why there is none. */
export function gridOf(stack: readonly Frame[]): GridOrRefusal {
  const [like] = stack;
  if (!like || stack.length < SLICES_MIN) return { refusal: "few" };
  const refusal = differ(stack, like) ?? (mixesUnits(stack) ? "mixedUnits" : undefined);
  const { orientation, spacing } = like;
  if (refusal || !orientation || !spacing) return { refusal: refusal ?? "unplaced" };
  const { rows, columns } = like.pixels;
  if (rows * columns * stack.length > SAMPLES_MAX) return { refusal: "large" };
  const normal = normalOf(orientation);
  const placed = stack.filter((frame): frame is Placed => frame.position !== undefined);
  const frames = [...placed].sort((a, b) => dot(normal, a.position) - dot(normal, b.position));
  const origin = frames[0]?.position ?? [0, 0, 0];
  const places = Float64Array.from(frames, (frame) => dot(normal, minus(frame.position, origin)));
  const steps = [...places.subarray(1)].map((place, index) => place - (places[index] ?? 0));
  if (steps.some((step) => step < SAME_PLACE_MM)) return { refusal: "samePlace" };
  const way = minus(frames.at(-1)?.position ?? origin, origin);
  const far = places.at(-1) ?? 1;
  const lean: Vector = [way[0] / far, way[1] / far, way[2] / far];
  const off = (frame: Placed, index: number) =>
    norm(minus(minus(frame.position, origin), times(lean, places[index] ?? 0)));
  const tolerated = Math.min(spacing.rowMm, spacing.columnMm) * CROOKED_PIXELS_MAX;
  if (frames.some((frame, index) => off(frame, index) > tolerated)) return { refusal: "crooked" };
  const { row, column } = orientation;
  const { rowMm, columnMm } = spacing;
  const size = [columns, rows, frames.length] as const;
  return { frames, grid: { size, origin, row, column, normal, rowMm, columnMm, lean, places, usualMm: median(steps) } };
}

/** Millimetres along the row, the column and the normal of a direction in the patient. */
export function inGrid(grid: Grid, direction: Vector): Vector {
  const along = dot(grid.normal, direction);
  const flat = minus(direction, times(grid.lean, along));
  return [dot(grid.row, flat), dot(grid.column, flat), along];
}

/** The inverse of `inGrid`. */
export function inPatient(grid: Grid, [across, down, along]: Vector): Vector {
  return plus(plus(times(grid.row, across), times(grid.column, down)), times(grid.lean, along));
}

/** A slice and how far it is to the next one, 0 to 1; nothing is known in gaps and beyond the ends. */
export interface Between {
  readonly slice: number;
  readonly share: number;
}

/**
 * Which slices a place along the normal lies between; undefined where there is nothing.
 *
 * Every slice reaches half the usual distance beyond itself; where slices are missing the rest of the gap stays empty.
 */
export function between({ places, usualMm }: Grid, along: number): Between | undefined {
  const last = places.length - 1;
  const reach = usualMm / 2;
  const end = places[last] ?? 0;
  if (!(along >= -reach && along <= end + reach)) return undefined;
  if (along <= 0) return { slice: 0, share: 0 };
  if (along >= end) return { slice: last, share: 0 };
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? 0) <= along) low = middle;
    else high = middle;
  }
  const [from, to] = [places[low] ?? 0, places[high] ?? 0];
  if (to - from <= usualMm * GAP_FACTOR) return { slice: low, share: (along - from) / (to - from) };
  if (along - from <= reach) return { slice: low, share: 0 };
  return to - along <= reach ? { slice: high, share: 0 } : undefined;
}
