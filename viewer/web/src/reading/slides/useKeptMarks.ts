// The marks of a slide as they are kept: opened with the slide, saved when somebody says so.

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { openAnnotations, saveAnnotations } from "../../api/annotations";
import { type StudyKey, sessionQuery } from "../../api/queries";
import type { ProblemKind } from "../../api/result";
import { createStore, type Store } from "../../engine/emitter";
import { placementOf } from "../../engine/slides/geometry";
import { fromKept, toKept } from "../../engine/slides/keptMarks";
import type { Mark } from "../../engine/slides/marks";
import type { Unsaved } from "../../ui/leaving";
import type { Draft } from "../drafts/draft";
import { useStore } from "../useStore";
import { leaveMarks, takeMarks, withDrawn } from "./leftMarks";
import { draftOfSlide } from "./slideDraft";
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
  /** Tells whether it succeeded. */
  readonly save: () => Promise<boolean>;
  /** Have what is kept again, and nothing else. */
  readonly drop: () => void;
}

/** What would be lost of slides whose room one leaves. */
export function unsavedOf(all: readonly KeptMarks[]): Unsaved | undefined {
  const open = all.filter(({ unsaved }) => unsaved);
  if (open.length === 0) return undefined;
  const saveAll = async () => {
    for (const kept of open) if (!(await kept.save())) return false;
    return true;
  };
  return {
    what: "marks",
    save: open.every(({ possible }) => possible) ? saveAll : undefined,
    drop: () => {
      for (const kept of open) kept.drop();
    },
  };
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

  const keptMarks = useRef(state.marks);
  keptMarks.current = state.marks;
  const questions = useQueryClient();
  const [account] = useState(() => questions.getQueryData(sessionQuery.queryKey)?.name ?? "");
  const key = JSON.stringify([account, study, seriesInstanceUid]);

  const draft = useRef<Draft>(undefined);

  useEffect(() => {
    if (!bench) return undefined;
    bench.marks.replace(takeMarks(key));
    const made = draftOfSlide(study, seriesInstanceUid, bench.marks, () => keptMarks.current);
    draft.current = made;
    if (!placement) void made.open();
    const stop = bench.marks.list.subscribe(() => made.note());
    return () => {
      const drawn = bench.marks.list.get();
      if (areUnsaved(drawn, keptMarks.current)) leaveMarks(key, drawn);
      stop();
      made.end();
    };
  }, [bench, key, study, seriesInstanceUid, placement]);

  useEffect(() => {
    if (!bench || !placement) return undefined;
    let wanted = true;
    void openAnnotations(study, seriesInstanceUid).then((result) => {
      if (!wanted) return;
      if (!result.ok) return setProblem(result.problem.kind);
      const marks = fromKept(placement, result.value.marks);
      setState({ instance: result.value.instance, author: result.value.author, marks });
      setProblem(undefined);
      keptMarks.current = marks;
      // What was drawn while the answer was on its way stays.
      bench.marks.replace(withDrawn(marks, bench.marks.list.get()));
      void draft.current?.open();
    });
    return () => {
      wanted = false;
      setState(NONE);
    };
  }, [study, seriesInstanceUid, bench, placement]);

  const save = useCallback(async () => {
    if (!bench || !placement) return false;
    const marks = bench.marks.list.get();
    setSaving(true);
    const result = await saveAnnotations(study, seriesInstanceUid, state.instance, toKept(placement, marks));
    setSaving(false);
    if (result.ok) {
      setProblem(undefined);
      setState({ instance: result.value.instance, author: result.value.author, marks });
      keptMarks.current = marks;
      draft.current?.note();
    } else {
      setProblem(result.problem.status === CONFLICT ? "changed" : result.problem.kind);
    }
    return result.ok;
  }, [bench, placement, study, seriesInstanceUid, state]);

  const unsaved = useUnsaved(bench, state.marks);
  const drop = () => bench?.marks.replace(keptMarks.current);
  return { possible: placement !== undefined, unsaved, saving, problem, author: state.author, save, drop };
}

const NO_MARKS: Store<readonly Mark[]> = createStore<readonly Mark[]>([]);

function useUnsaved(bench: Bench | undefined, kept: readonly Mark[]): boolean {
  const list = useStore<readonly Mark[], readonly Mark[]>(bench?.marks.list ?? NO_MARKS, (value) => value);
  return areUnsaved(list, kept);
}

function areUnsaved(list: readonly Mark[], kept: readonly Mark[]): boolean {
  return list.length !== kept.length || list.some((mark, index) => !isSame(mark, kept[index]));
}

/** Marks are never changed, only replaced: a mark with other words is another object. */
function isSame(one: Mark, other: Mark | undefined): boolean {
  return one === other || (one.uid === other?.uid && one.text === other.text && one.points === other.points);
}
