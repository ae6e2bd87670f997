// What marks say, in words: numbers with their unit, and how far they can be trusted.

import type { useTranslation } from "react-i18next";
import type { MarkReading } from "../../engine/marks/marks";
import { formatNumber } from "../../ui/format";
import type { Language } from "../../ui/preferences";

const DIGITS = 4;
const DECIMALS_MAX = 9;

type Translate = ReturnType<typeof useTranslation<["reading", "volumes"]>>["t"];

/** Decimals of a value: none of a whole number, else so many that four digits of it are told. */
function decimalsOf(value: number): number {
  if (Number.isInteger(value)) return 0;
  return Math.min(Math.max(DIGITS - 1 - Math.floor(Math.log10(Math.abs(value))), 1), DECIMALS_MAX);
}

export function wordsOf(reading: MarkReading, t: Translate, language: Language): readonly string[] {
  const number = (value: number, decimals = 1) => formatNumber(value, language, decimals);
  const withUnit = (value: string, unit: string) => (unit ? `${value} ${unit}` : value);
  switch (reading.kind) {
    case "length":
      return [t(`calibration.${reading.length.calibration}`, { value: number(reading.length.value) })];
    case "two": {
      const { long, short } = reading;
      const both = `${number(long.value)} × ${number(short.value)}`;
      return [t(`calibration.${long.calibration === short.calibration ? long.calibration : "none"}`, { value: both })];
    }
    case "angle":
      return [
        t(reading.calibration === "none" ? "mark.angleUncalibrated" : "mark.angle", { value: number(reading.degrees) }),
      ];
    case "value":
      return [
        ...(reading.suv === undefined ? [] : [t("volumes:suv.value", { value: number(reading.suv, 2) })]),
        withUnit(number(reading.value, decimalsOf(reading.value)), reading.unit),
      ];
    case "region": {
      const { area, spread, unit, suv } = reading;
      const lines = [t(`area.${area.calibration}`, { value: number(area.value) })];
      if (!spread) return lines;
      const finer = Math.max(decimalsOf(Math.max(Math.abs(spread.lowest), Math.abs(spread.highest))), 1);
      const mean = t("mark.mean", { value: withUnit(number(spread.mean, finer), unit) });
      const ends = Math.max(decimalsOf(spread.lowest), decimalsOf(spread.highest));
      const range = t("mark.range", { lowest: number(spread.lowest, ends), highest: number(spread.highest, ends) });
      const uptake = suv
        ? [t("volumes:suv.region", { highest: number(suv.highest, 2), mean: number(suv.mean, 2) })]
        : [];
      return [...lines, ...uptake, mean, t("mark.deviation", { value: number(spread.deviation, finer) }), range];
    }
  }
}
