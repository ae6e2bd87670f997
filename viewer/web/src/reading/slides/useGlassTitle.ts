// Which glass a slide is: its identifier, what lies on it and how it was stained; else as its series is called.

import { useQueries } from "@tanstack/react-query";
import type { StudyKey } from "../../api/queries";
import { slideQuery } from "../../api/slides";
import type { Series, SlideItem } from "../../api/types";
import { useSlideTitle } from "./useSlideTitle";

type Told = Pick<SlideItem, "container" | "specimens" | "stains">;

/** In one line: the container, or else the series' title; scanners that tell no stain have it in the description. */
export function glassOf({ container, specimens, stains }: Told, title: string, description: string): string {
  const words = [container || title, ...specimens, ...(stains.length > 0 ? stains : [description])];
  return [...new Set(words)].filter(Boolean).join(" · ");
}

/** The titles of slides, in their order. They may name a patient, as labels do: not for what leaves the room. */
export function useGlassTitles(study: StudyKey, slides: readonly Series[]): readonly string[] {
  const titleOf = useSlideTitle();
  const told = useQueries({ queries: slides.map((one) => slideQuery(study, one.seriesInstanceUID)) });
  return slides.map((one, index) => {
    const slide = told[index]?.data;
    return slide ? glassOf(slide, titleOf(one), one.description) : titleOf(one);
  });
}

export function useGlassTitle(study: StudyKey, series: Series): string {
  const [title = ""] = useGlassTitles(study, [series]);
  return title;
}
