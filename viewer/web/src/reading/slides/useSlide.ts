// A slide's description, the same object for as long as the slide is the same.

import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import type { StudyKey } from "../../api/queries";
import { slideQuery } from "../../api/slides";
import type { Slide } from "../../engine/slides/slide";

export interface Described {
  readonly slide: Slide | undefined;
  readonly pending: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
}

export function useSlide(study: StudyKey, seriesInstanceUid: string): Described {
  const query = useQuery(slideQuery(study, seriesInstanceUid));
  const latest = useRef(query.data);
  latest.current = query.data;
  const { revision, tiles } = query.data ?? {};
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rest of it changes with the revision only
  const slide = useMemo(() => latest.current, [revision, tiles]);
  return { slide, pending: query.isPending, error: query.error, retry: () => void query.refetch() };
}
