// Dates, times, ages and numbers in the reader's language, from DICOM's and the node's forms. Pure.

import type { Language } from "./preferences";

const LOCALES: Readonly<Record<Language, string>> = { vi: "vi-VN", en: "en-GB" };

/** A DICOM date (DA, PS3.5 6.2: YYYYMMDD) as a local day, or undefined when it is none. */
export function dicomDate(da: string): Date | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(da);
  if (!match) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(year, month - 1, day);
  return date.getMonth() === month - 1 && date.getDate() === day ? date : undefined;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** Day first with slashes, in both languages; Intl gives vi-VN dashes for some of these. */
function dayAndMonth(date: Date): string {
  return `${twoDigits(date.getDate())}/${twoDigits(date.getMonth() + 1)}`;
}

export function formatDay(date: Date): string {
  return `${dayAndMonth(date)}/${date.getFullYear()}`;
}

export function formatDicomDay(da: string): string {
  const date = dicomDate(da);
  return date ? formatDay(date) : "";
}

/** A day as the node's forms have it: YYYY-MM-DD. */
export function formatIsoDay(iso: string): string {
  return formatDicomDay(iso.replaceAll("-", ""));
}

export function formatClock(date: Date, language: Language, seconds = false): string {
  const options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hour12: false };
  return new Intl.DateTimeFormat(LOCALES[language], seconds ? { ...options, second: "2-digit" } : options).format(date);
}

/** "14:05" today, "14:05 03/11" this year, "14:05 03/11/2024" before. */
export function formatMoment(date: Date, now: Date, language: Language): string {
  const clock = formatClock(date, language);
  if (date.toDateString() === now.toDateString()) return clock;
  const sameYear = date.getFullYear() === now.getFullYear();
  return `${clock} ${sameYear ? dayAndMonth(date) : formatDay(date)}`;
}

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** How long ago: "3 phút trước". A clock that runs ahead never makes a future. */
export function formatAgo(date: Date, now: Date, language: Language): string {
  const seconds = Math.max(0, Math.round((now.getTime() - date.getTime()) / 1000));
  const [unit, size] = STEPS.find(([, length]) => seconds >= length) ?? (["second", 1] as const);
  const format = new Intl.RelativeTimeFormat(LOCALES[language], { numeric: "auto", style: "short" });
  return format.format(-Math.floor(seconds / size), unit);
}

/** Whole years at a day, or undefined when the birth date is unknown. */
export function ageAt(birthDate: string, at: Date): number | undefined {
  const birth = dicomDate(birthDate);
  if (!birth || birth > at) return undefined;
  const hadBirthday =
    at.getMonth() > birth.getMonth() || (at.getMonth() === birth.getMonth() && at.getDate() >= birth.getDate());
  return at.getFullYear() - birth.getFullYear() - (hadBirthday ? 0 : 1);
}

/** Patient's Age (AS, PS3.5 6.2: nnnD, nnnW, nnnM, nnnY) in years, or in months or days for the very young. */
export function dicomAge(
  text: string,
): { readonly unit: "years" | "months" | "days"; readonly count: number } | undefined {
  const match = /^(\d{3})([DWMY])$/.exec(text);
  if (!match) return undefined;
  const count = Number(match[1]);
  switch (match[2]) {
    case "Y":
      return { unit: "years", count };
    case "M":
      return { unit: "months", count };
    default:
      return { unit: "days", count: match[2] === "W" ? count * 7 : count };
  }
}

export function formatNumber(value: number, language: Language, decimals = 0): string {
  const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return new Intl.NumberFormat(LOCALES[language], options).format(value);
}

/** A magnification: to a tenth below 10, whole above and where the tenth is none; 9.9999 is 10. */
export function formatPower(power: number, language: Language): string {
  const tenths = Math.round(power * 10) / 10;
  return formatNumber(tenths, language, tenths < 10 && !Number.isInteger(tenths) ? 1 : 0);
}

/** A short length: microns below a millimetre, then millimetres; `decimals` of what is measured, none of round ones. */
export function formatMicrons(microns: number, language: Language, decimals = 0): string {
  if (microns >= 1000)
    return `${formatNumber(microns / 1000, language, Math.max(decimals, microns % 1000 ? 2 : 0))} mm`;
  return `${formatNumber(microns, language, Math.max(decimals, microns < 1 ? 1 : 0))} µm`;
}

/** A small area: square microns below a hundredth of a square millimetre, then square millimetres. */
export function formatSquareMicrons(area: number, language: Language): string {
  if (area >= 10_000) return `${formatNumber(area / 1e6, language, area >= 1e6 ? 2 : 3)} mm²`;
  return `${formatNumber(area, language, area < 100 ? 1 : 0)} µm²`;
}

/** A person's name for the screen: DICOM's carets become spaces. */
export function displayName(name: string): string {
  return name.split("=")[0]?.split("^").filter(Boolean).join(" ") ?? "";
}
