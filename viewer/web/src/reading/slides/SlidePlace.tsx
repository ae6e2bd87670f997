// A place for one slide of the case: its description asked for, then the slide, or why there is none.

import { Loader } from "@mantine/core";
import { IconMicroscope } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { StudyKey } from "../../api/queries";
import { problemOf } from "../../api/result";
import type { Series } from "../../api/types";
import { FailedNotice } from "../../ui/FailedNotice";
import readingStyles from "../Reading.module.css";
import { SlidePane } from "./SlidePane";
import styles from "./SlidePlace.module.css";
import { useGlassTitle } from "./useGlassTitle";
import { useSlide } from "./useSlide";
import type { Bench } from "./useSlideView";

export interface SlidePlaceProps {
  readonly study: StudyKey;
  readonly series: Series;
  /** Whether tools and keys work here rather than beside; undefined when there is no other place. */
  readonly active: boolean | undefined;
  readonly onActive: () => void;
  readonly onBench: (bench: Bench | undefined) => void;
}

export function SlidePlace({ study, series, active, onActive, onBench }: SlidePlaceProps) {
  const { t } = useTranslation(["slides", "reading", "common"]);
  const { slide, pending, error, retry } = useSlide(study, series.seriesInstanceUID);
  const title = useGlassTitle(study, series);
  return (
    <div className={styles["place"]} data-active={active} onPointerDownCapture={onActive}>
      {slide ? <SlidePane slide={slide} title={title} onBench={onBench} onStale={retry} /> : null}
      {pending ? (
        <div className={readingStyles["cover"]} role="status">
          <Loader /> {t("opening")}
        </div>
      ) : null}
      {error && !slide ? (
        <div className={readingStyles["cover"]}>
          <FailedNotice icon={<IconMicroscope size={48} stroke={1.5} />} title={t("failed")} onRetry={retry}>
            {t(`common:problem.${problemOf(error).kind}`)}
          </FailedNotice>
        </div>
      ) : null}
    </div>
  );
}
