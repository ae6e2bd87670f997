// The marks of one study, whether or not their images are on the screen; the renderer's annotations are its mirror.

import { createStore, type Store } from "../emitter";
import type { Figures, MarkKind } from "./keptFigures";

/** As the node keeps it: places are [column, row] in pixels from the corner of the image's first pixel. */
export interface BookMark extends Figures {
  /** Names the mark for ever: a UID of its own. */
  readonly uid: string;
  readonly kind: MarkKind;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  /** Null for an instance that has but one frame. */
  readonly frameNumber: number | null;
  readonly points: readonly (readonly [number, number])[];
  readonly text: string;
}

/** The server takes no more. */
export const MARKS_MAX = 1_000;
export const POINTS_MAX = 5_000;
/** Places nearer than this are the same: the renderer's world is not exact, pixels. */
const SAME_PX = 0.002;

export class MarkBook {
  readonly list: Store<readonly BookMark[]> = createStore<readonly BookMark[]>([]);

  /** Put a mark in the place of the one of its UID, or at the end; what says the same changes nothing. */
  put(mark: BookMark): void {
    const marks = this.list.get();
    const known = marks.find(({ uid }) => uid === mark.uid);
    if (known ? isSame(known, mark) : marks.length >= MARKS_MAX) return;
    this.list.set(known ? marks.map((one) => (one === known ? mark : one)) : [...marks, mark]);
  }

  remove(uid: string): void {
    const marks = this.list.get();
    if (marks.some((mark) => mark.uid === uid)) this.list.set(marks.filter((mark) => mark.uid !== uid));
  }

  /** What was saved is here; what was drawn meanwhile stays. */
  open(saved: readonly BookMark[]): void {
    const uids = new Set(saved.map(({ uid }) => uid));
    this.list.set([...saved, ...this.list.get().filter(({ uid }) => !uids.has(uid))]);
  }

  /** Have these and no others; one that says something else than before goes first, so that it is drawn anew. */
  replace(marks: readonly BookMark[]): void {
    const now = new Map(this.list.get().map((mark) => [mark.uid, mark]));
    this.list.set(
      marks.filter((mark) => {
        const known = now.get(mark.uid);
        return known !== undefined && isSame(known, mark);
      }),
    );
    this.list.set(marks);
  }
}

export function isSame(one: BookMark, other: BookMark): boolean {
  if (one.kind !== other.kind || one.text !== other.text || one.points.length !== other.points.length) return false;
  return one.points.every(([column, row], index) => {
    const [otherColumn, otherRow] = other.points[index] ?? [Number.NaN, Number.NaN];
    return Math.abs(column - otherColumn) <= SAME_PX && Math.abs(row - otherRow) <= SAME_PX;
  });
}

/** No more points than can be kept: an outline drawn at length loses every other one. */
export function withinBounds<T>(points: readonly T[]): readonly T[] {
  return points.length <= POINTS_MAX ? points : withinBounds(points.filter((_, index) => index % 2 === 0));
}
