// Whole slides: how one is described, and whose it is. Its tiles are fetched by the engine.

import { queryOptions } from "@tanstack/react-query";
import { ask } from "./client";
import { fetchJson, seriesUrl } from "./dicomweb";
import { addressAt, type StudyKey } from "./queries";
import { unwrap } from "./result";
import type { BulkFigure, BulkGroup, BulkGroups, SlideItem, SlideSegmentations } from "./types";

/** A slide that is still arriving grows. */
const RENEW_MS = 60_000;

export function slideQuery(study: StudyKey, seriesInstanceUid: string) {
  const path = addressAt(study, `/api/slides/${study.studyInstanceUid}/${seriesInstanceUid}`);
  return queryOptions({
    queryKey: ["slide", study, seriesInstanceUid],
    queryFn: async ({ signal }) => unwrap(await ask<SlideItem>("GET", path, { signal })),
    staleTime: RENEW_MS,
    refetchInterval: RENEW_MS,
    retry: 1,
  });
}

/** What is annotated in bulk on a slide; `revision` is what its places count from. */
export function bulkQuery(study: StudyKey, seriesInstanceUid: string, revision: string | undefined) {
  const path = addressAt(study, `/api/slides/${study.studyInstanceUid}/${seriesInstanceUid}/bulk`);
  return queryOptions({
    queryKey: ["bulk", study, seriesInstanceUid, revision],
    queryFn: async ({ signal }) => unwrap(await ask<BulkGroups>("GET", path, { signal })),
    enabled: revision !== undefined,
    staleTime: RENEW_MS,
    retry: 1,
  });
}

/** What is segmented on a slide. */
export function segmentationsQuery(study: StudyKey, seriesInstanceUid: string, revision: string | undefined) {
  const path = addressAt(study, `/api/slides/${study.studyInstanceUid}/${seriesInstanceUid}/segmentations`);
  return queryOptions({
    queryKey: ["segmentations", study, seriesInstanceUid, revision],
    queryFn: async ({ signal }) => unwrap(await ask<SlideSegmentations>("GET", path, { signal })),
    enabled: revision !== undefined,
    staleTime: RENEW_MS,
    retry: 1,
  });
}

/** What one annotation of a group, counted from one, was measured to be. */
export function figuresQuery(study: StudyKey, group: BulkGroup, number: number) {
  return queryOptions({
    queryKey: ["bulk figures", study, group.tiles, number],
    queryFn: async ({ signal }) => {
      const path = addressAt(study, `${group.tiles}/annotations/${number}`);
      return unwrap(await ask<readonly BulkFigure[]>("GET", path, { signal }));
    },
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  });
}

/** What the banner needs of an instance: a slide's whole metadata may be larger than its coarsest picture. */
const BEARER_FIELDS = "00081030,00101010,00120062,00280303,00100030,00100040,00080020";

export function bearerQuery(study: StudyKey, seriesInstanceUid: string) {
  return queryOptions({
    queryKey: ["bearer", study, seriesInstanceUid],
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ limit: "1", includefield: BEARER_FIELDS });
      return unwrap(await fetchJson(`${seriesUrl(study, seriesInstanceUid)}/instances?${query}`, signal));
    },
    staleTime: Number.POSITIVE_INFINITY,
    retry: 2,
  });
}
