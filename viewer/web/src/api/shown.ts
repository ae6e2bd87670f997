// How many images of a study the reader has had on the screen as they are stored; the node keeps it with the account.

import { queryOptions } from "@tanstack/react-query";
import { ask } from "./client";
import { addressAt, type StudyKey } from "./queries";
import { type Result, unwrap } from "./result";
import type { DrawnSeries, ShownSeries } from "./types";

function addressOf(study: StudyKey): string {
  return addressAt(study, `/api/studies/${study.studyInstanceUid}/shown`);
}

/** Under what the answers about a study are kept, however many images it has by now. */
export function shownKey(study: StudyKey) {
  return ["shown", study] as const;
}

/** `images`: how many the study has, so that more of them is another answer. */
export function shownQuery(study: StudyKey, images: number) {
  return queryOptions({
    queryKey: [...shownKey(study), images],
    queryFn: async ({ signal }) => unwrap(await ask<readonly ShownSeries[]>("GET", addressOf(study), { signal })),
    placeholderData: (previous) => previous,
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  });
}

/** Answers how far the study is then. `leaving`: the page may be gone before the answer comes. */
export function tellShown(
  study: StudyKey,
  series: readonly DrawnSeries[],
  leaving: boolean,
): Promise<Result<readonly ShownSeries[]>> {
  return ask<readonly ShownSeries[]>("POST", addressOf(study), { body: { series }, keepalive: leaving });
}
