// The node's answers as the screens use them: what is asked, how often, and under which name it is kept.

import { hashKey, type QueryClient, queryOptions } from "@tanstack/react-query";
import { ask, setCsrf } from "./client";
import { unwrap } from "./result";
import type { Dictionary, NodeInfo, Series, Session, Study, TraceEvent, Worklist } from "./types";

const LIVE_MS = 2_000;
const TRACE_MS = 4_000;
const PRIORS_MS = 60_000;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<Session | null> => {
    const result = await ask<Session>("GET", "/api/session", { signal });
    if (!result.ok && result.problem.kind === "signedOut") return null;
    const session = unwrap(result);
    setCsrf(session.csrf); // before any screen asks something with it
    return session;
  },
  staleTime: Number.POSITIVE_INFINITY,
  retry: 2,
});

/** Names of attributes: the standard's, so they change with the node's program alone. */
export const dictionaryQuery = queryOptions({
  queryKey: ["dictionary"],
  queryFn: async ({ signal }) => unwrap(await ask<Dictionary>("GET", "/api/dictionary", { signal })).attributes,
  staleTime: Number.POSITIVE_INFINITY,
  retry: 1,
});

export const nodeQuery = queryOptions({
  queryKey: ["node"],
  queryFn: async ({ signal }) => unwrap(await ask<NodeInfo>("GET", "/api/node", { signal })),
  staleTime: 600_000,
});

export interface WorklistFilter {
  readonly q: string;
  readonly modality: string;
  /** Moments of arrival, ISO 8601; empty for no bound. */
  readonly receivedFrom: string;
  readonly receivedBefore: string;
}

/** Studies on one page of the worklist; the node gives no longer ones. */
const PAGE = 200;
/** Beyond the first page lies what is old: it changes rarely. */
const OLD_MS = 15_000;

/** So long one may read a case and go on to the next of the list. */
const LIST_KEPT_MS = 4 * 3_600_000;

/** One page of the worklist, counted from zero. */
export function worklistQuery(filter: WorklistFilter, page: number) {
  const query = new URLSearchParams({ limit: String(PAGE), offset: String(page * PAGE) });
  if (filter.q) query.set("q", filter.q);
  if (filter.modality) query.set("modality", filter.modality);
  if (filter.receivedFrom) query.set("received_from", filter.receivedFrom);
  if (filter.receivedBefore) query.set("received_before", filter.receivedBefore);
  return queryOptions({
    queryKey: ["worklist", filter, page],
    queryFn: async ({ signal }) => unwrap(await ask<Worklist>("GET", `/api/worklist?${query}`, { signal })),
    refetchInterval: page === 0 ? LIVE_MS : OLD_MS,
    placeholderData: (previous) => previous,
    gcTime: LIST_KEPT_MS,
    retry: false,
  });
}

/** The studies of the list that was asked for last, in its order. */
export function listsSeen(questions: QueryClient): readonly Study[] {
  const pages = questions.getQueryCache().findAll({ queryKey: ["worklist"] });
  const [latest] = [...pages].sort((a, b) => b.state.dataUpdatedAt - a.state.dataUpdatedAt);
  return pages
    .filter((page) => hashKey([page.queryKey[1]]) === hashKey([latest?.queryKey[1]]))
    .sort((a, b) => Number(a.queryKey[2]) - Number(b.queryKey[2]))
    .flatMap((page) => (page.state.data as Worklist | undefined)?.studies ?? []);
}

export interface StudyKey {
  readonly studyInstanceUid: string;
  readonly site: string | undefined;
}

/** Where the node answers about a study; two sites may use one UID, so the site's name goes along. */
export function addressAt(study: StudyKey, path: string): string {
  return study.site ? `${path}?${new URLSearchParams({ site: study.site })}` : path;
}

async function askOf<T>(study: StudyKey, part: string, signal: AbortSignal): Promise<T> {
  const path = addressAt(study, `/api/studies/${study.studyInstanceUid}${part}`);
  return unwrap(await ask<T>("GET", path, { signal }));
}

/** One study as the worklist shows it. */
export function studyQuery(study: StudyKey) {
  return queryOptions({
    queryKey: ["study", study],
    queryFn: ({ signal }) => askOf<Study>(study, "", signal),
    refetchInterval: LIVE_MS,
    staleTime: LIVE_MS,
    retry: 1,
  });
}

export function seriesQuery(study: StudyKey) {
  return queryOptions({
    queryKey: ["series", study],
    queryFn: ({ signal }) => askOf<readonly Series[]>(study, "/series", signal),
    refetchInterval: LIVE_MS,
    staleTime: LIVE_MS,
    retry: 1,
  });
}

/** The person's other studies at the same site, newest first. */
export function priorsQuery(study: StudyKey) {
  return queryOptions({
    queryKey: ["priors", study],
    queryFn: ({ signal }) => askOf<readonly Study[]>(study, "/priors", signal),
    staleTime: PRIORS_MS,
    retry: 1,
  });
}

export function traceQuery(study: StudyKey, live: boolean) {
  return queryOptions({
    queryKey: ["trace", study],
    queryFn: ({ signal }) => askOf<readonly TraceEvent[]>(study, "/trace", signal),
    refetchInterval: live ? TRACE_MS : false,
    enabled: live,
  });
}
