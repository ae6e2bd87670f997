// What readers measure in images, as the node keeps it: one state a study, each saving another DICOM document.

import { ask } from "./client";
import { addressAt, type StudyKey } from "./queries";
import type { Result } from "./result";
import type { StudyMark, StudyMarks } from "./types";

function addressOf(study: StudyKey): string {
  return addressAt(study, `/api/studies/${study.studyInstanceUid}/marks`);
}

export function openMarks(study: StudyKey): Promise<Result<StudyMarks>> {
  return ask<StudyMarks>("GET", addressOf(study));
}

/** `base`: the instance that the marks were drawn on; the node refuses when another was saved since. */
export function saveMarks(
  study: StudyKey,
  base: string | null,
  marks: readonly StudyMark[],
): Promise<Result<StudyMarks>> {
  return ask<StudyMarks>("POST", addressOf(study), { body: { base, marks } });
}
