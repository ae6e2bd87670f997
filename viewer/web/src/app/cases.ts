// The studies before and after one in the list that was looked at last.

import type { QueryClient } from "@tanstack/react-query";
import { listsSeen, type StudyKey } from "../api/queries";
import type { Study } from "../api/types";
import { goTo } from "./route";

export function caseBeside(
  studies: readonly Study[],
  { studyInstanceUid, site }: StudyKey,
  by: number,
): Study | undefined {
  const at = studies.findIndex(
    (study) => study.studyInstanceUID === studyInstanceUid && (site === undefined || study.site === site),
  );
  return at < 0 ? undefined : studies[at + by];
}

/** The case so many places further in the list that was looked at last. */
export function nextCase(questions: QueryClient, from: StudyKey, by: number): StudyKey | undefined {
  const next = caseBeside(listsSeen(questions), from, by);
  return next && { studyInstanceUid: next.studyInstanceUID, site: next.site };
}

/** Open the case so many places further; at an end of the list, the list itself. */
export function stepCase(questions: QueryClient, from: StudyKey, by: number): void {
  const next = nextCase(questions, from, by);
  goTo(next ? { screen: "reading", ...next } : { screen: "worklist" });
}
