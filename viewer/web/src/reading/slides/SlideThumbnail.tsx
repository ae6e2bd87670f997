// A slide in the strip: the whole of it, small, upright.

import { IconMicroscope } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { StudyKey } from "../../api/queries";
import type { Series } from "../../api/types";
import { drawThumbnail } from "../../engine/slides/thumbnail";
import styles from "../SeriesStrip.module.css";
import { useGlassTitle } from "./useGlassTitle";
import { useSlide } from "./useSlide";

export interface SlideOfStrip {
  readonly study: StudyKey;
  readonly series: Series;
}

export function SlideTitle({ study, series }: SlideOfStrip) {
  return useGlassTitle(study, series);
}

/** After which a picture that did not arrive, or that the node was still making, is asked for again. */
export const AGAIN_MS = 10_000;

export function SlideThumbnail({ study, series }: SlideOfStrip) {
  const { t } = useTranslation("reading");
  const { slide } = useSlide(study, series.seriesInstanceUID);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drawn, setDrawn] = useState(false);
  useEffect(() => {
    const element = canvas.current;
    if (!slide || !element) return undefined;
    const control = new AbortController();
    let again: ReturnType<typeof setTimeout> | undefined;
    const draw = async () => {
      const drawing = await drawThumbnail(slide, element, control.signal);
      if (control.signal.aborted) return;
      setDrawn(drawing === "drawn");
      if (drawing === "later") again = setTimeout(() => void draw(), AGAIN_MS);
    };
    void draw();
    return () => {
      control.abort();
      clearTimeout(again);
    };
  }, [slide]);
  return (
    <>
      <canvas ref={canvas} className={styles["thumbnail"]} hidden={!drawn} aria-hidden />
      {drawn ? null : (
        <span className={styles["thumbnail"]} role="img" aria-label={t("noThumbnail")}>
          <IconMicroscope size={24} stroke={1.5} />
        </span>
      )}
    </>
  );
}
