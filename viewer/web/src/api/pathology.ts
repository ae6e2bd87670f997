// The form of a study's pathology, and whether a reader was validated to read slides on a screen.

import { queryOptions } from "@tanstack/react-query";
import { ask } from "./client";
import { addressAt, type StudyKey } from "./queries";
import { type Result, unwrap } from "./result";
import type { NewPathologyForm, NewValidationCase, PathologyField, PathologyForm, ReaderValidation } from "./types";

/** The fields of form 25/BV2: they change with the node's program alone. */
export const formFieldsQuery = queryOptions({
  queryKey: ["pathology fields"],
  queryFn: async ({ signal }) =>
    unwrap(await ask<readonly PathologyField[]>("GET", "/api/pathology/fields", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
  retry: 1,
});

function formUrl(study: StudyKey): string {
  return addressAt(study, `/api/studies/${study.studyInstanceUid}/pathology`);
}

export function openForm(study: StudyKey, signal: AbortSignal): Promise<Result<PathologyForm>> {
  return ask<PathologyForm>("GET", formUrl(study), { signal });
}

/** The node refuses when another state was saved since `base`. */
export function saveForm(study: StudyKey, form: NewPathologyForm): Promise<Result<PathologyForm>> {
  return ask<PathologyForm>("PUT", formUrl(study), { body: form });
}

/** The record of who is signed in. */
export const validationQuery = queryOptions({
  queryKey: ["validation"],
  queryFn: async ({ signal }) => unwrap(await ask<ReaderValidation>("GET", "/api/validation", { signal })),
  retry: 1,
});

export function recordCase(one: NewValidationCase): Promise<Result<ReaderValidation>> {
  return ask<ReaderValidation>("POST", "/api/validation/cases", { body: one });
}
