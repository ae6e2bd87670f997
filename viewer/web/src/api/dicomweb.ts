// The DICOMweb addresses that the room uses (PS3.18), on the same origin and with the same cookie as the rest.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { StudyKey } from "./queries";
import { failed, type Result, unwrap } from "./result";

/** Two sites may use one UID; the service under a site's name knows only that site. */
function root(study: StudyKey): string {
  return study.site ? `/sites/${encodeURIComponent(study.site)}/dicom-web` : "/dicom-web";
}

export function studyUrl(study: StudyKey): string {
  return `${root(study)}/studies/${study.studyInstanceUid}`;
}

export function seriesUrl(study: StudyKey, seriesInstanceUid: string): string {
  return `${studyUrl(study)}/series/${seriesInstanceUid}`;
}

export function thumbnailUrl(study: StudyKey, seriesInstanceUid: string): string {
  return `${seriesUrl(study, seriesInstanceUid)}/thumbnail`;
}

/** An instance as one picture, in the size of a panel. */
export function instancePictureUrl(study: StudyKey, seriesInstanceUid: string, sopInstanceUid: string): string {
  return `${seriesUrl(study, seriesInstanceUid)}/instances/${sopInstanceUid}/thumbnail?viewport=800,800`;
}

/** The study as a medium to take away: a download, with a right of its own. */
export function mediumUrl(study: StudyKey): string {
  return `${root(study)}/studies/${study.studyInstanceUid}/medium`;
}

/** The same as the image of a disc, to be burned. */
export function discUrl(study: StudyKey): string {
  return `${mediumUrl(study)}.iso`;
}

/** Which study and series an address leads into; undefined for one that leads into no series. */
export function seriesOf(url: string): { readonly study: string; readonly series: string } | undefined {
  const [, study, series] = /\/studies\/([\d.]+)\/series\/([\d.]+)\//.exec(url) ?? [];
  return study !== undefined && series !== undefined ? { study, series } : undefined;
}

/** An answer in DICOM JSON: a list of data sets. */
export async function fetchJson(url: string, signal: AbortSignal): Promise<Result<readonly unknown[]>> {
  try {
    const response = await fetch(url, {
      headers: { Accept: "application/dicom+json" },
      credentials: "same-origin",
      signal,
    });
    if (response.status === 401) return failed("signedOut", 401);
    if (response.status === 404) return failed("missing", 404);
    if (!response.ok) return failed(response.status >= 500 ? "server" : "denied", response.status);
    const value: unknown = await response.json();
    return Array.isArray(value) ? { ok: true, value } : failed("unexpected", response.status);
  } catch {
    return failed("offline");
  }
}

/** Every instance's DICOM JSON of a series; `instances` is how many there are, so that more of them is another answer. */
export function metadataQuery(study: StudyKey, seriesInstanceUid: string, instances: number) {
  return queryOptions({
    queryKey: ["metadata", study, seriesInstanceUid, instances],
    queryFn: async ({ signal }) => unwrap(await fetchJson(`${seriesUrl(study, seriesInstanceUid)}/metadata`, signal)),
    // The series before must not stay on screen under the name of the next one.
    placeholderData: (previous, query) =>
      query?.queryKey[2] === seriesInstanceUid ? keepPreviousData(previous) : undefined,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    retry: 2,
  });
}

/** One instance's DICOM JSON, given the address of one of its frames. */
export function instanceQuery(frameUrl: string) {
  const url = `${frameUrl.replace(/\/frames\/\d+$/, "")}/metadata`;
  return queryOptions({
    queryKey: ["instance", url],
    queryFn: async ({ signal }) => unwrap(await fetchJson(url, signal))[0] ?? null,
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  });
}
