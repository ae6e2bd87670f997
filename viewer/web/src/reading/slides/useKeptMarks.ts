// The marks of a slide as they are kept: opened with the slide, saved when somebody says so.

import { useCallback, useEffect, useMemo, useState } from "react";
import { openAnnotations, saveAnnotations } from "../../api/annotations";
import type { StudyKey } from "../../api/queries";
import type { ProblemKind } from "../../api/result";
import { createStore, type Store } from "../../engine/emitter";
import { placementOf } from "../../engine/slides/geometry";
import { fromKept, toKept } from "../../engine/slides/keptMarks";
import type { Mark } from "../../engine/slides/marks";
import { useStore } from "../useStore";
import type { Bench } from "./useSlideView";

export interface KeptMarks {
  /** Whether this slide can keep marks at all: its header says where it lies on the glass. */
  readonly possible: boolean;
  /** Whether something is drawn that is not kept. */
  readonly unsaved: boolean;
  readonly saving: boolean;
  /** Why the last saving or opening failed; "changed" when somebody else saved since. */
  readonly problem: ProblemKind | "changed" | undefined;
  readonly author: string;
  readonly save: () => void;
}

interface State {
  readonly instance: string | null;
  readonly author: string;
  readonly marks: readonly Mark[];
}

const NONE: State = { instance: null, author: "", marks: [] };
const CONFLICT = 409;

export function useKeptMarks(of: StudyKey, seriesInstanceUid: string, bench: Bench | undefined): KeptMarks {
  const { studyInstanceUid, site } = of;
  const study = useMemo(() => ({ studyInstanceUid, site }), [studyInstanceUid, site]);
  const placement = useMemo(() => (bench ? placementOf(bench.view.slide) : undefined), [bench]);
  const [state, setState] = useState<State>(NONE);
  const [saving, setSaving] = useState(false);
  const [problem, setProblem] = useState<KeptMarks["problem"]>();

  useEffect(() => {
    if (!bench || !placement) return undefined;
    let wanted = true;
    void openAnnotations(study, seriesInstanceUid).then((result) => {
      if (!wanted) return;
      if (!result.ok) return setProblem(result.problem.kind);
      const marks = fromKept(placement, result.value.marks);
      setState({ instance: result.value.instance, author: result.value.author, marks });
      setProblem(undefined);
      // What was drawn while the answer was on its way stays.
      const uids = new Set(marks.map(({ uid }) => uid));
      bench.marks.replace([...marks, ...bench.marks.list.get().filter(({ uid }) => !uids.has(uid))]);
    });
    return () => {
      wanted = false;
      setState(NONE);
    };
  }, [study, seriesInstanceUid, bench, placement]);

  const save = useCallback(() => {
    if (!bench || !placement) return;
    const marks = bench.marks.list.get();
    setSaving(true);
    void saveAnnotations(study, seriesInstanceUid, state.instance, toKept(placement, marks)).then((result) => {
      setSaving(false);
      if (result.ok) {
        setProblem(undefined);
        setState({ instance: result.value.instance, author: result.value.author, marks });
      } else {
        setProblem(result.problem.status === CONFLICT ? "changed" : result.problem.kind);
      }
    });
  }, [bench, placement, study, seriesInstanceUid, state]);

  const unsaved = useUnsaved(bench, state.marks);
  return { possible: placement !== undefined, unsaved, saving, problem, author: state.author, save };
}

const NO_MARKS: Store<readonly Mark[]> = createStore<readonly Mark[]>([]);

function useUnsaved(bench: Bench | undefined, kept: readonly Mark[]): boolean {
  const list = useStore<readonly Mark[], readonly Mark[]>(bench?.marks.list ?? NO_MARKS, (value) => value);
  return list.length !== kept.length || list.some((mark, index) => !isSame(mark, kept[index]));
}

/** Marks are never changed, only replaced: a mark with other words is another object. */
function isSame(one: Mark, other: Mark | undefined): boolean {
  return one === other || (one.uid === other?.uid && one.text === other.text && one.points === other.points);
}
