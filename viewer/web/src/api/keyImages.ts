// The key images of a study, as the node keeps them: one choice, each saving another DICOM document.

import { ask } from "./client";
import { addressAt, type StudyKey } from "./queries";
import type { Result } from "./result";
import type { KeyImage, KeyImageChoice, StudyKeyImages } from "./types";

function addressOf(study: StudyKey): string {
  return addressAt(study, `/api/studies/${study.studyInstanceUid}/key-images`);
}

export function openKeyImages(study: StudyKey): Promise<Result<StudyKeyImages>> {
  return ask<StudyKeyImages>("GET", addressOf(study));
}

/** `base`: the instance that was opened; the node refuses when another was saved since. */
export function saveKeyImages(
  study: StudyKey,
  base: string | null,
  title: string,
  images: readonly KeyImage[],
): Promise<Result<KeyImageChoice>> {
  return ask<KeyImageChoice>("POST", addressOf(study), { body: { base, title, description: "", images } });
}
