// The order of a stack's frames, and what a reader must be told about its geometry. Pure.

import { cross, dot, isOrthonormal, minus, norm, normalOf, type Orientation, type Vector } from "./geometry";

/** What ordering looks at. `frameNumber` counts from one. */
export interface Placed {
  readonly instanceNumber: number | undefined;
  readonly frameNumber: number;
  readonly position: Vector | undefined;
  readonly orientation: Orientation | undefined;
  /** Breaks ties, so that the order never depends on arrival: the SOP Instance UID. */
  readonly sopInstanceUid: string;
}

export type StackWarning =
  | { readonly kind: "tilt"; readonly degrees: number }
  | { readonly kind: "unevenSpacing"; readonly smallestMm: number; readonly largestMm: number }
  | { readonly kind: "gap"; readonly afterIndex: number; readonly gapMm: number; readonly usualMm: number }
  | { readonly kind: "mixedOrientation" }
  | { readonly kind: "samePosition" };

const SAME_DIRECTION = 0.999;
/** Half a degree: below it, scanners' rounding looks like tilt. */
const TILT_DEGREES_MIN = 0.5;
/** Spacing may vary by this share of the usual one before it is called uneven. */
const SPACING_TOLERANCE = 0.05;
/** From this many usual distances on, a jump is a gap: slices are missing. */
export const GAP_FACTOR = 1.8;
const SAME_PLACE_MM = 0.001;

function byNumber(a: Placed, b: Placed): number {
  const number = (a.instanceNumber ?? Number.MAX_SAFE_INTEGER) - (b.instanceNumber ?? Number.MAX_SAFE_INTEGER);
  return number || a.sopInstanceUid.localeCompare(b.sopInstanceUid) || a.frameNumber - b.frameNumber;
}

/** The direction all frames share, or undefined when one has no position or another orientation. */
function sharedNormal(frames: readonly Placed[]): Vector | undefined {
  const first = frames[0]?.orientation;
  if (!first || !isOrthonormal(first)) return undefined;
  const normal = normalOf(first);
  const parallel = (frame: Placed) =>
    frame.position !== undefined &&
    frame.orientation !== undefined &&
    dot(normalOf(frame.orientation), normal) > SAME_DIRECTION;
  return frames.every(parallel) ? normal : undefined;
}

function along(normal: Vector, frame: Placed): number {
  return frame.position ? dot(normal, frame.position) : 0;
}

/** Whether frames lie at different places; a cine or a time series at one place keeps its numbering. */
function spread(places: readonly number[]): boolean {
  return Math.max(...places) - Math.min(...places) > SAME_PLACE_MM;
}

/**
 * The frames in reading order.
 *
 * Image Position (Patient) along the normal when every frame has one and they are parallel, in the direction in which
 * instance numbers rise, so that a stack starts where the technologist started it (along the normal itself without
 * numbers); Instance Number otherwise.
 */
export function inStackOrder<T extends Placed>(frames: readonly T[]): readonly T[] {
  const numbered = [...frames].sort(byNumber);
  const normal = sharedNormal(numbered);
  const first = numbered[0];
  const last = numbered.at(-1);
  if (!normal || !first || !last || !spread(numbered.map((frame) => along(normal, frame)))) return numbered;
  const known = first.instanceNumber !== undefined && last.instanceNumber !== undefined;
  const direction = known && along(normal, last) < along(normal, first) ? -1 : 1;
  return numbered.sort((a, b) => {
    const place = (along(normal, a) - along(normal, b)) * direction;
    return Math.abs(place) > SAME_PLACE_MM ? place : byNumber(a, b);
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The angle between the stacking direction and the slices' normal, degrees: a tilted gantry gives more than zero. */
function tiltDegrees(normal: Vector, first: Vector, last: Vector): number {
  const way = minus(last, first);
  const length = norm(way);
  if (length < SAME_PLACE_MM) return 0;
  return (Math.atan2(norm(cross(normal, way)), Math.abs(dot(normal, way))) * 180) / Math.PI;
}

function spacingWarnings(places: readonly number[]): readonly StackWarning[] {
  const steps = places.slice(1).map((place, index) => Math.abs(place - (places[index] ?? place)));
  const moving = steps.filter((step) => step > SAME_PLACE_MM);
  const usualMm = median(moving);
  const warnings: StackWarning[] = [];
  if (moving.length < steps.length) warnings.push({ kind: "samePosition" });
  const gap = steps.findIndex((step) => step > usualMm * GAP_FACTOR);
  if (gap >= 0) warnings.push({ kind: "gap", afterIndex: gap, gapMm: steps[gap] ?? 0, usualMm });
  const steady = moving.filter((step) => step <= usualMm * GAP_FACTOR);
  const smallestMm = Math.min(...steady);
  const largestMm = Math.max(...steady);
  if (largestMm - smallestMm > usualMm * SPACING_TOLERANCE) {
    warnings.push({ kind: "unevenSpacing", smallestMm, largestMm });
  }
  return warnings;
}

/**
 * What is unusual about a stack in reading order.
 *
 * A stack of fewer than three frames, or one without positions, has no warnings: there is nothing to compare.
 * While instances still arrive a gap may only be one that has not come yet; the caller says so beside the badge.
 */
export function stackWarnings(frames: readonly Placed[]): readonly StackWarning[] {
  const positioned = frames.filter((frame) => frame.position && frame.orientation);
  if (frames.length < 3 || positioned.length < frames.length) return [];
  const normal = sharedNormal(frames);
  if (!normal) return [{ kind: "mixedOrientation" }];
  const places = frames.map((frame) => along(normal, frame));
  const first = frames[0]?.position;
  const last = frames.at(-1)?.position;
  if (!first || !last || !spread(places)) return [];
  const degrees = tiltDegrees(normal, first, last);
  const tilt: readonly StackWarning[] = degrees >= TILT_DEGREES_MIN ? [{ kind: "tilt", degrees }] : [];
  return [...tilt, ...spacingWarnings(places)];
}
