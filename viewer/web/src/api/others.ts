// What other documents of a study draw, as the node reads them.

import { queryOptions } from "@tanstack/react-query";
import { ask } from "./client";
import { addressAt, type StudyKey } from "./queries";
import { unwrap } from "./result";
import type { StudyOthersMarks } from "./types";

/** `documents`: how many reports there are by now; with another one they are asked for anew. */
export function othersQuery(study: StudyKey, documents: number) {
  return queryOptions({
    queryKey: ["others-marks", study, documents],
    queryFn: async ({ signal }) => {
      const path = addressAt(study, `/api/studies/${study.studyInstanceUid}/others-marks`);
      return unwrap(await ask<StudyOthersMarks>("GET", path, { signal }));
    },
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (previous) => previous,
    retry: 1,
  });
}
