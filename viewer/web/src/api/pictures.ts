// Taking a picture of the screen: the node writes it down, and says whether one may, before the page makes it.

import { ask } from "./client";
import { addressAt, type StudyKey } from "./queries";
import type { Result } from "./result";
import type { TakenPicture } from "./types";

/** Images of a film. */
export const FILM_IMAGES_MAX = 600;

export function tellTaken(study: StudyKey, taken: TakenPicture): Promise<Result<void>> {
  return ask<void>("POST", addressAt(study, `/api/studies/${study.studyInstanceUid}/pictures`), { body: taken });
}
