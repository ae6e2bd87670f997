// The pictures of an instance in the order in which they are gone through: first what must be seen, then each frame. Pure.

import type { ReviewSheet } from "../api/types";
import type { Part, Size } from "./boxes";

export type Stop =
  | { readonly kind: "sheet"; readonly sheet: ReviewSheet }
  | { readonly kind: "frame"; readonly frame: number };

/** What masks are drawn on: a frame, or the strip of all pages. */
export function stripOf(sheets: readonly ReviewSheet[]): Size {
  return {
    rows: Math.max(0, ...sheets.map((sheet) => sheet.top + sheet.rows)),
    columns: Math.max(0, ...sheets.map((sheet) => sheet.columns)),
  };
}

/** The part of the strip that stands on the screen. */
export function partOf(stop: Stop, strip: Size): Part {
  return stop.kind === "sheet" ? stop.sheet : { top: 0, ...strip };
}

/** Every sheet, and the frames that no sheet shows as they are; pages have none. */
export function stopsOf(sheets: readonly ReviewSheet[], frames: number): readonly Stop[] {
  if (sheets.some((sheet) => sheet.kind === "page")) return sheets.map((sheet) => ({ kind: "sheet", sheet }));
  const asTheyAre = new Set(sheets.filter((sheet) => sheet.kind === "frame").map((sheet) => sheet.firstFrame));
  const others = Array.from({ length: frames }, (_, index) => index + 1).filter((frame) => !asTheyAre.has(frame));
  return [
    ...sheets.map((sheet) => ({ kind: "sheet", sheet }) as const),
    ...others.map((frame) => ({ kind: "frame", frame }) as const),
  ];
}

/** How many sheets nobody has been shown here or before. */
export function unseenOf(sheets: readonly ReviewSheet[], seen: ReadonlySet<number>): readonly ReviewSheet[] {
  return sheets.filter((sheet) => !sheet.seen && !seen.has(sheet.number));
}
