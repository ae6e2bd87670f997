// Which series are slides, and whose they are.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { isSlide } from "../../api/opening";
import type { StudyKey } from "../../api/queries";
import { bearerQuery } from "../../api/slides";
import type { Series } from "../../api/types";
import { type Bearer, bearerOf } from "../../engine/frames/stacks";
import { hasPictures } from "./companions";

/** Holds the marks that are not saved of the slides that are open (ui/leaving.ts). */
export const SLIDES = "slides";

/** Holds what was typed into a study's form and not saved. */
export const FORM = "form";

/**
 * What the strip shows: bulk annotations lie over their slide, and are no pictures of their own. Nor are segmentations,
 * where slides alone can be what is segmented.
 */
export function shownSeries(all: readonly Series[]): readonly Series[] {
  if (!all.some(isSlide)) return all;
  const isOfSlides = !all.some(hasPictures);
  return all.filter(({ modality }) => modality !== "ANN" && !(isOfSlides && modality === "SEG"));
}

/** The bearer as an instance of the slide tells it. */
export function useSlideBearer(study: StudyKey, slide: Series | undefined): Bearer | undefined {
  const query = useQuery({ ...bearerQuery(study, slide?.seriesInstanceUID ?? ""), enabled: slide !== undefined });
  return useMemo(() => bearerOf(query.data ?? []), [query.data]);
}
