// What may stand beside a slide: another slide, a series of images of the study, or another study of the same person.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { isSlide } from "../../api/opening";
import { priorsQuery, type StudyKey } from "../../api/queries";
import type { Series, Study } from "../../api/types";
import type { PaneChoice } from "../arrangement/panes";
import { isReport } from "../findings/ReportPage";

export interface Companions {
  readonly slides: readonly Series[];
  readonly images: readonly Series[];
  readonly others: readonly Study[];
}

/** Modalities whose objects are no pictures of their own (PS3.3 C.7.3.1.1.1). */
const NO_PICTURES = new Set(["ANN", "DOC", "KO", "PR", "REG", "RTDOSE", "RTPLAN", "RTSTRUCT", "SEG", "SR"]);

export function hasPictures(series: Series): boolean {
  return !isSlide(series) && !isReport(series) && !NO_PICTURES.has(series.modality);
}

/** The other studies of the person are those whose pictures are not slides alone. */
export function useCompanions(study: StudyKey, series: readonly Series[]): Companions {
  const priors = useQuery(priorsQuery(study)).data ?? [];
  return {
    slides: series.filter(isSlide),
    images: series.filter(hasPictures),
    others: priors.filter((one) => one.modalities.some((modality) => modality !== "SM" && !NO_PICTURES.has(modality))),
  };
}

/** What one compares with before one has chosen: the next slide, else the first images, else this slide itself. */
export function nextOf({ slides, images }: Companions, current: Series): string | undefined {
  const index = slides.findIndex((one) => one.seriesInstanceUID === current.seriesInstanceUID);
  const next = slides[index + 1] ?? slides[0];
  if (next && next.seriesInstanceUID !== current.seriesInstanceUID) return next.seriesInstanceUID;
  return images[0]?.seriesInstanceUID ?? next?.seriesInstanceUID;
}

/** The pane of images that a choice means; undefined when it means a slide, or nothing. */
export function useImagesOf(
  { images, others }: Companions,
  study: StudyKey,
  uid: string | undefined,
): PaneChoice | undefined {
  const isHere = images.some((one) => one.seriesInstanceUID === uid);
  const other = others.find((one) => one.studyInstanceUID === uid);
  return useMemo(() => {
    if (isHere) return { study, seriesInstanceUid: uid, stackId: undefined, isPrior: false };
    if (!other) return undefined;
    const key = { site: other.site, studyInstanceUid: other.studyInstanceUID };
    return { study: key, seriesInstanceUid: undefined, stackId: undefined, isPrior: true };
  }, [isHere, other, study, uid]);
}
