// Whether a display was checked, by what is on file. Pure.

import type { DisplayItem } from "../api/types";

export type Standing = "checked" | "due" | "failed" | "unchecked";

/** `today` is a day of the reader's, ISO 8601. */
export function standingOf(display: DisplayItem | undefined, today: string): Standing {
  const last = display?.last;
  if (!last) return "unchecked";
  if (last.result === "failed") return "failed";
  return last.nextDue >= today ? "checked" : "due";
}
