// The command for the slide that keys work on: its picture as it stands, without its label.

import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { StudyKey } from "../../api/queries";
import { bearerQuery } from "../../api/slides";
import type { Series } from "../../api/types";
import { isDataSet, text } from "../../engine/frames/dicomJson";
import { micronsPerScreenPixel, nativePower } from "../../engine/slides/geometry";
import type { SlideView } from "../../engine/slides/slideView";
import { formatNumber } from "../../ui/format";
import { usePreferences } from "../../ui/preferences";
import { barFor, linesOf } from "../shown/captionOf";
import type { Subject } from "../shown/subject";
import { TakePicture } from "../shown/TakePicture";
import { useSlideTitle } from "./useSlideTitle";

export interface TakeOfSlideProps {
  readonly study: StudyKey;
  readonly series: Series;
  readonly view: SlideView;
}

export function TakeOfSlide({ study, series, view }: TakeOfSlideProps) {
  const { t } = useTranslation(["slides", "shown"]);
  const language = usePreferences((preferences) => preferences.language);
  const { seriesInstanceUID } = series;
  const [bearer] = useQuery(bearerQuery(study, seriesInstanceUID)).data ?? [];
  const sopInstanceUID = isDataSet(bearer) ? text(bearer, "00080018") : undefined;
  const title = useSlideTitle()(series);
  const subject: Subject = {
    element: view.element,
    stage: view.element,
    instance: () => (sopInstanceUID ? { seriesInstanceUID, sopInstanceUID } : undefined),
    caption: (named) => {
      const { zoom } = view.camera.get();
      const native = nativePower(view.slide);
      const bar = barFor(micronsPerScreenPixel(view.slide, zoom), language);
      const facts = [
        series.modality,
        title,
        native ? t("power", { power: formatNumber(native * zoom, language, 1) }) : "",
        view.settled.get() ? "" : t("shown:preview"),
        [...view.over].every((layer) => layer.isWhole()) ? "" : t("shown:overIncomplete"),
        bar ? "" : t("shown:noScale"),
      ];
      return { warning: t("shown:warning"), lines: linesOf(facts, named), bar };
    },
    name: () => `${series.modality}-${series.number ?? 1}`,
    burnedIn: false,
  };
  return <TakePicture study={study} subject={subject} />;
}
