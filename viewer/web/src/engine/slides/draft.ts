// A mark while it is drawn: what a click, a stroke or Enter makes of it. Pure.

import type { MarkKind } from "./marks";
import type { SlidePoint } from "./slide";

export interface Draft {
  readonly kind: MarkKind;
  readonly points: readonly SlidePoint[];
}

export interface Step {
  /** What goes on being drawn. */
  readonly draft: Draft | undefined;
  /** What is finished. */
  readonly done: Draft | undefined;
}

/** Whether two places are one to the hand. */
export type Near = (one: SlidePoint, other: SlidePoint) => boolean;

const CORNERS_MIN = 3;

/** A click with the tool for `kind`. A polygon ends where it began, or with a second click at its last corner. */
export function clicked(kind: MarkKind, before: Draft | undefined, point: SlidePoint, isNear: Near): Step {
  const points = before?.kind === kind ? before.points : [];
  if (kind === "point" || kind === "text") return { draft: undefined, done: { kind, points: [point] } };
  if (kind === "line" && points.length === 1) return { draft: undefined, done: { kind, points: [...points, point] } };
  if (kind === "polygon" && isClosing(points, point, isNear)) return ended({ kind, points });
  return { draft: { kind, points: [...points, point] }, done: undefined };
}

function isClosing(points: readonly SlidePoint[], point: SlidePoint, isNear: Near): boolean {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < CORNERS_MIN) return false;
  return isNear(first, point) || isNear(last, point);
}

/** Nothing more is added: a polygon or stroke that is one is finished, anything less is dropped. */
export function ended(draft: Draft | undefined): Step {
  const closes = draft?.kind === "polygon" || draft?.kind === "freehand";
  return { draft: undefined, done: closes && draft.points.length >= CORNERS_MIN ? draft : undefined };
}

/** A stroke goes on; places near the last one add nothing to it. */
export function stroked(before: Draft | undefined, point: SlidePoint, isNear: Near): Draft {
  const points = before?.kind === "freehand" ? before.points : [];
  const last = points.at(-1);
  if (last && isNear(last, point)) return { kind: "freehand", points };
  return { kind: "freehand", points: [...points, point] };
}
