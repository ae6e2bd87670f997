// The pages of the worklist as one list.

import { useQueries } from "@tanstack/react-query";
import { type WorklistFilter, worklistQuery } from "../api/queries";
import { type Problem, problemOf } from "../api/result";
import type { Study, Worklist } from "../api/types";
import { keyOf } from "./studyText";

export interface Listed {
  /** Undefined until the first answer. */
  readonly worklist: Worklist | undefined;
  /** The answer belongs to the question before this one. */
  readonly old: boolean;
  readonly problem: Problem | undefined;
  readonly updatedAt: number;
  readonly retry: () => void;
}

/** Studies move from page to page as new ones come, so one may be on two of them for a moment. */
function once(studies: readonly Study[]): readonly Study[] {
  return [...new Map(studies.map((study) => [keyOf(study), study])).values()];
}

export function useWorklist(question: WorklistFilter, pages: number): Listed {
  return useQueries({
    queries: Array.from({ length: pages }, (_, page) => worklistQuery(question, page)),
    combine: (results): Listed => {
      const first = results[0];
      const there = results.flatMap((result) => result.data ?? []);
      const studies = once(there.flatMap((page) => page.studies));
      return {
        worklist: first?.data && { studies, more: there.at(-1)?.more ?? false },
        old: first?.isPlaceholderData ?? false,
        problem: first?.error ? problemOf(first.error) : undefined,
        updatedAt: first?.dataUpdatedAt ?? 0,
        retry: () => void first?.refetch(),
      };
    },
  });
}
