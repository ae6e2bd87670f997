// Marks between the screen and the archive: pixels of the Total Pixel Matrix here, millimetres on the glass there. Pure.

import { fromSlideMm, type Placement, toSlideMm } from "./geometry";
import type { Mark, MarkKind } from "./marks";

/** A mark as the node keeps it. */
interface KeptMark {
  readonly uid: string;
  readonly kind: MarkKind;
  readonly points: readonly (readonly [number, number])[];
  readonly text: string;
}

export function toKept(placement: Placement, marks: readonly Mark[]) {
  return marks.map(({ uid, kind, points, text }) => {
    const places = points.map((point) => {
      const [x, y] = toSlideMm(placement, point);
      return [x, y] as [number, number];
    });
    return { uid, kind, points: places, text: text.trim() };
  });
}

export function fromKept(placement: Placement, marks: readonly KeptMark[]): readonly Mark[] {
  return marks.map(({ uid, kind, points, text }) => ({
    uid,
    kind,
    points: points.map((place) => fromSlideMm(placement, place)),
    text,
  }));
}
