// What is drawn on slides, as the node keeps it: places in millimetres on the glass.

import { ask } from "./client";
import { addressAt, type StudyKey } from "./queries";
import type { Result } from "./result";
import type { SlideAnnotations, SlideMark } from "./types";

function addressOf(study: StudyKey, seriesInstanceUid: string): string {
  return addressAt(study, `/api/slides/${study.studyInstanceUid}/${seriesInstanceUid}/annotations`);
}

export function openAnnotations(study: StudyKey, seriesInstanceUid: string): Promise<Result<SlideAnnotations>> {
  return ask<SlideAnnotations>("GET", addressOf(study, seriesInstanceUid));
}

/** `base`: the instance that the marks were drawn on; the node refuses when another was saved since. */
export function saveAnnotations(
  study: StudyKey,
  seriesInstanceUid: string,
  base: string | null,
  marks: readonly SlideMark[],
): Promise<Result<SlideAnnotations>> {
  return ask<SlideAnnotations>("POST", addressOf(study, seriesInstanceUid), { body: { base, marks } });
}
