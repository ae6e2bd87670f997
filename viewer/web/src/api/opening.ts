// What a study opens with, asked for before its page is drawn: drawing takes as long as the way to the node and back.

import type { QueryClient } from "@tanstack/react-query";
import { metadataQuery } from "./dicomweb";
import { type StudyKey, seriesQuery, studyQuery } from "./queries";
import type { Series } from "./types";

/** Slide Microscopy (PS3.3 C.7.3.1.1.1). */
export function isSlide(series: Series): boolean {
  return series.modality === "SM";
}

/** The series that is shown until the reader, or a hanging protocol, chooses one. */
export function openingSeries(all: readonly Series[]): Series | undefined {
  return all.find(isSlide) ?? all[0];
}

/** Ask for a study, its series, and the metadata of the first; what fails is asked for again by the page itself. */
export async function askAhead(questions: QueryClient, study: StudyKey): Promise<void> {
  void questions.prefetchQuery(studyQuery(study));
  await questions.prefetchQuery(seriesQuery(study));
  const first = openingSeries(questions.getQueryData(seriesQuery(study).queryKey) ?? []);
  if (first && !isSlide(first)) {
    await questions.prefetchQuery(metadataQuery(study, first.seriesInstanceUID, first.instances));
  }
}
