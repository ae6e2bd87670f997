// Days as the node tells them, YYYY-MM-DD. Pure.

import { formatDicomDay } from "../../../ui/format";

const DAY_MS = 86_400_000;

/** Days between two days. */
export function apart(one: string, other: string): number {
  return Math.abs(Date.parse(one) - Date.parse(other)) / DAY_MS;
}

/** As it is written here. */
export function isoDay(day: string): string {
  return formatDicomDay(day.replaceAll("-", ""));
}
