// Standardized uptake values by body weight, where a PET image says all that is needed (PS3.3 C.8.9; QIBA's vendor-neutral
// rules for SUVbw). Where it does not, the reason, so that nobody takes activity for uptake. Pure.

import { items, type JsonDataSet, number, text, texts } from "./dicomJson";

/** Why there is no SUV; each is a key of the language files (volumes:suv.why.*). */
type SuvProblem = "units" | "corrections" | "decay" | "weight" | "dose" | "halfLife" | "time";

export interface Uptake {
  /** What the modality values count. */
  readonly unit: string;
  /** SUV, g/ml, for a modality value of one; undefined when `why` says why not. */
  readonly factor: number | undefined;
  readonly why: SuvProblem | undefined;
}

const UNITS: Readonly<Record<string, string>> = { BQML: "Bq/ml", GML: "g/ml", CNTS: "counts" };
/** A dose below a tenth of a megabecquerel is one that somebody wrote in megabecquerel. */
const DOSE_BQ_MIN = 1e5;
const DAY_S = 86_400;
/** Nobody scans a week after the injection. */
const DELAY_S_MAX = 7 * DAY_S;

/** Seconds since 1970 of a day and a time as DICOM writes them (PS3.5 6.2), as if in UTC; undefined when they are none. */
function secondsOf(day: string | undefined, time: string | undefined): number | undefined {
  const date = /^(\d{4})(\d{2})(\d{2})$/.exec(day ?? "");
  const clock = /^(\d{2})(\d{2})?(\d{2})?(\.\d{1,6})?/.exec(time ?? "");
  if (!(date && clock)) return undefined;
  const [year, month, dayOfMonth] = [Number(date[1]), Number(date[2]) - 1, Number(date[3])];
  const [hours, minutes, seconds] = [Number(clock[1]), Number(clock[2] ?? 0), Number(clock[3] ?? 0)];
  return Date.UTC(year, month, dayOfMonth, hours, minutes, seconds) / 1000 + Number(clock[4] ?? 0);
}

/** When the values are corrected to: the series' time, as long as no acquisition began before it. */
function scanSeconds(instance: JsonDataSet): number | undefined {
  const series = secondsOf(text(instance, "00080021"), text(instance, "00080031"));
  const acquired = secondsOf(text(instance, "00080022"), text(instance, "00080032"));
  // A series that claims to be later than its images was made afterwards: its time says nothing of the scan.
  return series === undefined || acquired === undefined || series > acquired ? undefined : series;
}

function injectionSeconds(instance: JsonDataSet, given: JsonDataSet, scan: number): number | undefined {
  const moment = text(given, "00181078");
  if (moment) return secondsOf(moment.slice(0, 8), moment.slice(8));
  const atSeriesDay = secondsOf(text(instance, "00080021"), text(given, "00181072"));
  // A time without a day that is later than the scan is of the evening before.
  return atSeriesDay !== undefined && atSeriesDay > scan ? atSeriesDay - DAY_S : atSeriesDay;
}

/** The injected activity that is left at the time which the values are corrected to, Bq. */
function doseLeft(instance: JsonDataSet, decay: "START" | "ADMIN"): number | SuvProblem {
  const given = items(instance, "00540016")[0] ?? {};
  const dose = number(given, "00181074");
  if (dose === undefined || dose < DOSE_BQ_MIN) return "dose";
  if (decay === "ADMIN") return dose;
  const halfLife = number(given, "00181075");
  if (halfLife === undefined || halfLife <= 0) return "halfLife";
  const scan = scanSeconds(instance);
  const injected = scan === undefined ? undefined : injectionSeconds(instance, given, scan);
  if (scan === undefined || injected === undefined) return "time";
  const delay = scan - injected;
  return delay < 0 || delay > DELAY_S_MAX ? "time" : dose * 2 ** (-delay / halfLife);
}

function factorOf(instance: JsonDataSet, units: string): number | SuvProblem {
  if (units === "GML") return ["BW", undefined].includes(text(instance, "00541006")) ? 1 : "units";
  if (units !== "BQML") return "units";
  const corrected = texts(instance, "00280051");
  if (!(corrected.includes("ATTN") && corrected.includes("DECY"))) return "corrections";
  const decay = text(instance, "00541102");
  if (decay !== "START" && decay !== "ADMIN") return "decay";
  const kilograms = number(instance, "00101030");
  if (kilograms === undefined || kilograms <= 0) return "weight";
  const dose = doseLeft(instance, decay);
  return typeof dose === "number" ? (kilograms * 1000) / dose : dose;
}

/** Undefined for what is no PET image. */
export function uptakeOf(instance: JsonDataSet): Uptake | undefined {
  if (text(instance, "00080060") !== "PT") return undefined;
  const units = text(instance, "00541001") ?? "";
  const factor = factorOf(instance, units);
  const unit = UNITS[units] ?? units;
  return typeof factor === "number" ? { unit, factor, why: undefined } : { unit, factor: undefined, why: factor };
}
