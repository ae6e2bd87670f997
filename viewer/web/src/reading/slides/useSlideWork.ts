// A slide that is worked on: its bench, the marks that are kept of it, and the bulk annotations of others over it.

import { useState } from "react";
import type { StudyKey } from "../../api/queries";
import type { Series } from "../../api/types";
import { type Bulk, useBulk } from "./useBulk";
import { type KeptMarks, useKeptMarks } from "./useKeptMarks";
import type { Bench } from "./useSlideView";

export interface SlideWork {
  /** Undefined until the slide is on the screen. */
  readonly bench: Bench | undefined;
  readonly onBench: (bench: Bench | undefined) => void;
  readonly kept: KeptMarks;
  readonly bulk: Bulk;
}

/** `slide`: undefined while none is shown there. */
export function useSlideWork(study: StudyKey, slide: Series | undefined): SlideWork {
  const [made, onBench] = useState<Bench>();
  const uid = slide?.seriesInstanceUID ?? "";
  const bench = slide && made;
  return { bench, onBench, kept: useKeptMarks(study, uid, bench), bulk: useBulk(study, uid, bench) };
}
