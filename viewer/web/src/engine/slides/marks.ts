// What a reader draws on a slide, and what it measures. Pure, but for the list itself.

import { createStore, type Store } from "../emitter";
import type { Slide, SlidePoint } from "./slide";

/** Names are keys of the language files (slides:mark.*). */
export type MarkKind = "point" | "line" | "polygon" | "freehand" | "text";

export interface Mark {
  /** Names the mark for ever: a UID of its own. */
  readonly uid: string;
  readonly kind: MarkKind;
  /** In pixels of the Total Pixel Matrix; a polygon's or freehand's last point is joined to the first. */
  readonly points: readonly SlidePoint[];
  readonly text: string;
}

/** The server takes no more, and a screen shows no more in time. */
export const MARKS_MAX = 1_000;
export const POINTS_MAX = 5_000;

/** A UID of the 2.25 root (PS3.5 B.2). Works over plain HTTP, too, where crypto.randomUUID does not exist. */
export function newUid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `2.25.${BigInt(`0x${hex}`)}`;
}

export interface Measure {
  readonly what: "length" | "area";
  /** Microns or square microns; pixels or square pixels of a slide without scale. */
  readonly value: number;
  readonly scaled: boolean;
}

/** The length of a line, the area of what is closed; points and texts measure nothing. */
export function measureOf(slide: Slide, mark: Pick<Mark, "kind" | "points">): Measure | undefined {
  const [across, down] = slide.mpp ?? [];
  const scaled = across !== undefined && down !== undefined && across > 0 && down > 0;
  const [x, y] = scaled ? [across, down] : [1, 1];
  switch (mark.kind) {
    case "line": {
      const [from, to] = mark.points;
      if (!from || !to) return undefined;
      return { what: "length", value: Math.hypot((to.x - from.x) * x, (to.y - from.y) * y), scaled };
    }
    case "polygon":
    case "freehand":
      return { what: "area", value: enclosed(mark.points) * x * y, scaled };
    default:
      return undefined;
  }
}

/** Square pixels inside a closed outline (shoelace); an outline that crosses itself counts what is left and right. */
function enclosed(points: readonly SlidePoint[]): number {
  let twice = 0;
  points.forEach((point, index) => {
    const next = points[(index + 1) % points.length] ?? point;
    twice += point.x * next.y - next.x * point.y;
  });
  return Math.abs(twice) / 2;
}

/** Where a mark's text stands: at a point, at the end of a line, at the topmost point of an outline. */
export function anchorOf(mark: Pick<Mark, "kind" | "points">): SlidePoint {
  const [first] = mark.points;
  if (!first) return { x: 0, y: 0 };
  if (mark.kind === "line") return mark.points.at(-1) ?? first;
  return mark.points.reduce((top, point) => (point.y < top.y ? point : top), first);
}

export class Marks {
  readonly list: Store<readonly Mark[]> = createStore<readonly Mark[]>([]);
  readonly selected: Store<string | undefined> = createStore<string | undefined>(undefined);

  /** Returns the new mark, or undefined when there are as many as can be. */
  add(kind: MarkKind, points: readonly SlidePoint[], text = ""): Mark | undefined {
    if (this.list.get().length >= MARKS_MAX || points.length === 0) return undefined;
    const mark = { uid: newUid(), kind, points: points.slice(0, POINTS_MAX), text };
    this.list.set([...this.list.get(), mark]);
    this.selected.set(mark.uid);
    return mark;
  }

  remove(uid: string): void {
    this.list.set(this.list.get().filter((mark) => mark.uid !== uid));
    if (this.selected.get() === uid) this.selected.set(undefined);
  }

  removeSelected(): void {
    const uid = this.selected.get();
    if (uid) this.remove(uid);
  }

  write(uid: string, text: string): void {
    this.list.set(this.list.get().map((mark) => (mark.uid === uid ? { ...mark, text } : mark)));
  }

  select(uid: string | undefined): void {
    this.selected.set(uid);
  }

  /** What was saved is here again. */
  replace(marks: readonly Mark[]): void {
    this.list.set(marks);
    this.selected.set(undefined);
  }
}
