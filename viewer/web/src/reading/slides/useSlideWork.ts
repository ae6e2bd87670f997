// A slide that is worked on: its bench, the marks on it, and what others found over it.

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { type StudyKey, sessionQuery } from "../../api/queries";
import type { Series } from "../../api/types";
import { createStore, type Store } from "../../engine/emitter";
import { useStore } from "../useStore";
import { MarksOfSlide } from "./slideMarks";
import { type Bulk, useBulk } from "./useBulk";
import { type Segments, useSegments } from "./useSegments";
import type { Bench } from "./useSlideView";

export interface SlideWork {
  /** Undefined until the slide is on the screen. */
  readonly bench: Bench | undefined;
  readonly onBench: (bench: Bench | undefined) => void;
  readonly marks: MarksOfSlide | undefined;
  /** Whether something is drawn that is not kept. */
  readonly unsaved: boolean;
  readonly bulk: Bulk;
  readonly segments: Segments;
}

const NOTHING: Store<boolean> = createStore(false);

/** `slide`: undefined while none is shown there. */
export function useSlideWork(study: StudyKey, slide: Series | undefined): SlideWork {
  const [made, onBench] = useState<Bench>();
  const uid = slide?.seriesInstanceUID ?? "";
  const bench = slide && made;
  const marks = useMarks(study, uid, bench);
  const unsaved = useStore(marks?.unsaved ?? NOTHING, (value) => value);
  const [bulk, segments] = [useBulk(study, uid, bench), useSegments(study, uid, bench)];
  return { bench, onBench, marks, unsaved, bulk, segments };
}

function useMarks(of: StudyKey, seriesInstanceUid: string, bench: Bench | undefined): MarksOfSlide | undefined {
  const { studyInstanceUid, site } = of;
  const study = useMemo(() => ({ studyInstanceUid, site }), [studyInstanceUid, site]);
  const questions = useQueryClient();
  const [account] = useState(() => questions.getQueryData(sessionQuery.queryKey)?.name ?? "");
  const [marks, setMarks] = useState<MarksOfSlide>();
  useEffect(() => {
    if (!bench) return undefined;
    const open = new MarksOfSlide(study, seriesInstanceUid, bench, account);
    setMarks(open);
    return () => {
      open.end();
      setMarks(undefined);
    };
  }, [study, seriesInstanceUid, bench, account]);
  return marks;
}
