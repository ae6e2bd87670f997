// Stacks that are scrolled together: which slice of one belongs to a slice of another. Pure.

import { dot, minus, normalOf, plus, times, type Vector } from "../frames/geometry";
import type { Placed } from "../frames/stackOrder";

/** A slice as far as linking looks at it. */
export interface Slice extends Pick<Placed, "position" | "orientation"> {
  readonly frameOfReferenceUid: string | undefined;
}

/** Where two stacks stood when they were linked: the index of each. */
export interface Link {
  readonly from: number;
  readonly to: number;
}

const PARALLEL = 0.98;

function normal(slice: Slice | undefined): Vector | undefined {
  return slice?.orientation && slice.position ? normalOf(slice.orientation) : undefined;
}

function along(direction: Vector, slice: Slice | undefined): number | undefined {
  return slice?.position && dot(direction, slice.position);
}

/**
 * The slice of `to` that belongs to slice `index` of `from`.
 *
 * In one frame of reference the slice nearest in the patient. Elsewhere, where slices are parallel, the one as many
 * millimetres from where `to` stood when they were linked; else as many slices from there. Undefined when the planes
 * cross: then nothing belongs together.
 */
export function linkedIndex(
  from: readonly Slice[],
  index: number,
  to: readonly Slice[],
  link: Link,
): number | undefined {
  const [source, base, other] = [from[index], from[link.from], to[link.to]];
  const [direction, otherDirection] = [normal(source), normal(other)];
  if (!direction || !otherDirection) return clamped(link.to + index - link.from, to.length);
  if (Math.abs(dot(direction, otherDirection)) < PARALLEL) return undefined;
  const same = source?.frameOfReferenceUid !== undefined && source.frameOfReferenceUid === other?.frameOfReferenceUid;
  const place = along(direction, source) ?? 0;
  const wanted = same ? place : (along(direction, other) ?? 0) + place - (along(direction, base) ?? place);
  return nearest(to, direction, wanted);
}

function nearest(slices: readonly Slice[], direction: Vector, place: number): number | undefined {
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, slice] of slices.entries()) {
    const distance = Math.abs((along(direction, slice) ?? Number.POSITIVE_INFINITY) - place);
    if (distance < least) [best, least] = [index, distance];
  }
  return best;
}

function clamped(index: number, count: number): number | undefined {
  return count === 0 ? undefined : Math.min(Math.max(index, 0), count - 1);
}

/** An image's plane and its size, for where it is seen from another one. */
export interface Plane extends Slice {
  readonly widthMm: number;
  readonly heightMm: number;
}

/** The ends of the line in which `seen` cuts through the plane of `target`; undefined when it does not, or elsewhere. */
export function crossing(seen: Plane, target: Plane): readonly [Vector, Vector] | undefined {
  const direction = normal(target);
  const { orientation, position } = seen;
  const same = seen.frameOfReferenceUid !== undefined && seen.frameOfReferenceUid === target.frameOfReferenceUid;
  if (!(direction && orientation && position && target.position && same)) return undefined;
  const { row, column } = orientation;
  const at = (across: number, down: number) => plus(position, plus(times(row, across), times(column, down)));
  const { widthMm: width, heightMm: height } = seen;
  const corners = [at(0, 0), at(width, 0), at(width, height), at(0, height)];
  const origin = target.position;
  const distances = corners.map((corner) => dot(direction, minus(corner, origin)));
  const ends = corners.flatMap((corner, index): Vector[] => {
    const next = (index + 1) % corners.length;
    const [here, there, other] = [distances[index] ?? 0, distances[next] ?? 0, corners[next] ?? corner];
    if (here < 0 === there < 0) return [];
    return [plus(corner, times(minus(other, corner), here / (here - there)))];
  });
  const [first, second] = ends;
  return first && second ? [first, second] : undefined;
}
