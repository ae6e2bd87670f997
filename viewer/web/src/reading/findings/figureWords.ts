// What a kept mark says in a list: its figures as they were saved.

import type { useTranslation } from "react-i18next";
import type { BookMark } from "../../engine/marks/markBook";
import { formatNumber } from "../../ui/format";
import type { Language } from "../../ui/preferences";

type Translate = ReturnType<typeof useTranslation<["findings", "reading"]>>["t"];

export function figureWords(mark: BookMark, t: Translate, language: Language): string {
  const number = (value: number | undefined) => (value === undefined ? "" : formatNumber(value, language, 1));
  const figureOf = (quantity: string) => mark.figures.find((figure) => figure.quantity === quantity);
  switch (mark.kind) {
    case "length":
      return t(`reading:calibration.${mark.calibration}`, { value: number(figureOf("length")?.value) });
    case "bidirectional": {
      const both = `${number(figureOf("long")?.value)} × ${number(figureOf("short")?.value)}`;
      return t(`reading:calibration.${mark.calibration}`, { value: both });
    }
    case "angle":
    case "cobb":
      return t("reading:mark.angle", { value: number(figureOf(mark.kind)?.value) });
    case "probe": {
      const value = figureOf("value");
      return value ? `${number(value.value)} ${value.unit}`.trim() : "";
    }
    case "arrow":
      return mark.text;
    default: {
      const mean = figureOf("mean");
      const area = t(`reading:area.${mark.calibration}`, { value: number(figureOf("area")?.value) });
      return mean
        ? `${area} · ${t("reading:mark.mean", { value: `${number(mean.value)} ${mean.unit}`.trim() })}`
        : area;
    }
  }
}
