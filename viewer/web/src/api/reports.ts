// Structured reports as they are read on a screen.

import { queryOptions } from "@tanstack/react-query";
import { ask } from "./client";
import { addressAt, type StudyKey } from "./queries";
import { unwrap } from "./result";
import type { ReportContent } from "./types";

/** The reports of a series, the newest first; `instances` is how many there are, so that more is another answer. */
export function reportsQuery(study: StudyKey, seriesInstanceUid: string, instances: number) {
  const path = `/api/studies/${study.studyInstanceUid}/series/${seriesInstanceUid}/reports`;
  return queryOptions({
    queryKey: ["reports", study, seriesInstanceUid, instances],
    queryFn: async ({ signal }) => unwrap(await ask<readonly string[]>("GET", addressAt(study, path), { signal })),
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  });
}

export function reportQuery(study: StudyKey, seriesInstanceUid: string, sopInstanceUid: string) {
  const path = `/api/studies/${study.studyInstanceUid}/series/${seriesInstanceUid}/reports/${sopInstanceUid}`;
  return queryOptions({
    queryKey: ["report", study, seriesInstanceUid, sopInstanceUid],
    queryFn: async ({ signal }) => unwrap(await ask<ReportContent>("GET", addressAt(study, path), { signal })),
    staleTime: Number.POSITIVE_INFINITY,
    enabled: sopInstanceUid !== "",
    retry: 1,
  });
}
