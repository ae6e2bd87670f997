// A day as people type it, as DICOM writes it, and as the node's forms do. Pure.

import { dicomDate, formatDay, formatDicomDay } from "./format";

/** Day, month and year in this order, with whatever stands between, or nothing: 22/11/2026, 2-1-2026, 22112026. */
const TYPED = /^\s*(?:(\d{1,2})\s*[/.\- ]\s*(\d{1,2})\s*[/.\- ]\s*(\d{4})|(\d{2})(\d{2})(\d{4}))\s*$/;

/** The day that was typed as YYYYMMDD (DA, PS3.5 6.2); empty for nothing, undefined for what is no day. */
export function typedDay(text: string): string | undefined {
  if (text.trim() === "") return "";
  const [, day, month, year, dayTight, monthTight, yearTight] = TYPED.exec(text) ?? [];
  const two = (part = "") => part.padStart(2, "0");
  const written = `${year ?? yearTight ?? ""}${two(month ?? monthTight)}${two(day ?? dayTight)}`;
  return dicomDate(written) ? written : undefined;
}

/** As it is shown in a field once it is understood. */
export function tidyDay(text: string): string {
  const day = typedDay(text);
  return day ? formatDicomDay(day) : text;
}

/** A day of the reader's own clock, ISO 8601. */
export function isoDay(date: Date): string {
  return formatDay(date).split("/").reverse().join("-");
}
