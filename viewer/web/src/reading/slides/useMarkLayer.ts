// Marks drawn over a slide, their texts in the reader's language.

import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { type Describe, MarkLayer } from "../../engine/slides/markLayer";
import { type Mark, type Measure, measureOf } from "../../engine/slides/marks";
import type { Slide } from "../../engine/slides/slide";
import { formatMicrons, formatNumber, formatSquareMicrons } from "../../ui/format";
import { type Language, usePreferences } from "../../ui/preferences";
import type { Bench } from "./useSlideView";

/** What a mark measures, in words; empty for one that measures nothing. */
export function useMeasureText(slide: Slide): (mark: Pick<Mark, "kind" | "points">) => string {
  const { t } = useTranslation("slides");
  const language = usePreferences((preferences) => preferences.language);
  return useMemo(() => {
    const unscaled = (value: number, unit: string) =>
      t("unscaledMeasure", { value: formatNumber(value, language), unit });
    return (mark) => {
      const measure = measureOf(slide, mark);
      if (!measure) return "";
      if (!measure.scaled) return unscaled(measure.value, measure.what === "length" ? "px" : "px²");
      return scaledText(measure, language);
    };
  }, [slide, language, t]);
}

function scaledText({ what, value }: Measure, language: Language): string {
  return what === "length" ? formatMicrons(value, language, 1) : formatSquareMicrons(value, language);
}

export function useMarkLayer(bench: Bench | undefined, slide: Slide): void {
  const measure = useMeasureText(slide);
  useEffect(() => {
    if (!bench) return undefined;
    const describe: Describe = (mark, ordinal) => {
      const counted = mark.kind === "point" ? String(ordinal) : measure(mark);
      return [counted, mark.text].filter(Boolean).join(" · ");
    };
    const layer = new MarkLayer(bench.view, bench.marks, bench.tool, describe);
    return () => layer.destroy();
  }, [bench, measure]);
}
