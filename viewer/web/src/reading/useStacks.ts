// The stacks of a series: its metadata, asked again as instances arrive, made into what a reader scrolls.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { metadataQuery, seriesUrl } from "../api/dicomweb";
import type { StudyKey } from "../api/queries";
import type { Series } from "../api/types";
import { type Bearer, bearerOf, type Stack, stacksOf } from "../engine/frames/stacks";
import { useThrottled } from "./useThrottled";

const NO_STACKS: readonly Stack[] = [];

export interface Loaded {
  readonly stacks: readonly Stack[];
  readonly bearer: Bearer | undefined;
  readonly pending: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
}

/** Waits longer before asking again for a long series, so that a growing one does not fill the line. */
const METADATA_MS_PER_INSTANCE = 10;

export function useStacks(study: StudyKey, series: Series | undefined): Loaded {
  const instances = useThrottled(
    series?.instances ?? 0,
    (series?.instances ?? 0) * METADATA_MS_PER_INSTANCE,
    series?.seriesInstanceUID ?? "",
  );
  const uid = series?.seriesInstanceUID ?? "";
  const query = useQuery({ ...metadataQuery(study, uid, instances), enabled: series !== undefined });
  const stacks = useMemo(
    () => (query.data ? stacksOf(query.data, seriesUrl(study, uid)) : NO_STACKS),
    [query.data, study, uid],
  );
  const bearer = useMemo(() => bearerOf(query.data ?? []), [query.data]);
  return { stacks, bearer, pending: query.isPending, error: query.error, retry: () => void query.refetch() };
}
