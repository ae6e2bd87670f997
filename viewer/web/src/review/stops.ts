// The pictures of an instance in the order in which they are gone through: first what must be seen, then each frame. Pure.

import type { ReviewSheet } from "../api/types";

export type Stop =
  | { readonly kind: "sheet"; readonly sheet: ReviewSheet }
  | { readonly kind: "frame"; readonly frame: number };

/** Every sheet, and the frames that no sheet shows as they are. */
export function stopsOf(sheets: readonly ReviewSheet[], frames: number): readonly Stop[] {
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
