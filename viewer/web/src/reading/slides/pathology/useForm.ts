// The form of a study's pathology while one works on it. What is typed stays with the tab, whichever slide is open.

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { openForm, saveForm } from "../../../api/pathology";
import { type StudyKey, sessionQuery } from "../../../api/queries";
import type { ProblemKind } from "../../../api/result";
import type { PathologyForm } from "../../../api/types";
import { hold } from "../../../ui/leaving";
import { holdTab } from "../../../ui/unload";
import { FORM } from "../series";
import { type Draft, draftOf, isChanged, merged } from "./draft";

export interface FormWork {
  /** What the node has; undefined until it is here. */
  readonly form: PathologyForm | undefined;
  readonly typed: Draft;
  readonly type: (draft: Draft) => void;
  readonly unsaved: boolean;
  readonly saving: boolean;
  /** "changed" when somebody else saved since. */
  readonly problem: ProblemKind | "changed" | undefined;
  readonly save: () => void;
  /** Have what the node has now, with what was typed. */
  readonly reopen: () => void;
}

interface Kept {
  readonly base: PathologyForm;
  readonly typed: Draft;
}

const CONFLICT = 409;
const EMPTY: Draft = { purpose: "formal", values: {} };
/** By person and study: what was typed and not saved. */
const left = new Map<string, Kept>();

export function useForm(of: StudyKey): FormWork {
  const { studyInstanceUid, site } = of;
  const study = useMemo(() => ({ studyInstanceUid, site }), [studyInstanceUid, site]);
  const questions = useQueryClient();
  const [account] = useState(() => questions.getQueryData(sessionQuery.queryKey)?.name ?? "");
  const key = JSON.stringify([account, study]);
  const [kept, setKept] = useState<Kept | undefined>(() => left.get(key));
  const [saving, setSaving] = useState(false);
  const [problem, setProblem] = useState<FormWork["problem"]>();
  const [tries, setTries] = useState(0);
  const unsaved = kept !== undefined && isChanged(draftOf(kept.base), kept.typed);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another try asks once more
  useEffect(() => {
    const control = new AbortController();
    void openForm(study, control.signal).then((result) => {
      if (control.signal.aborted) return;
      setProblem(result.ok ? undefined : result.problem.kind);
      if (result.ok) setKept((before) => reopened(before, result.value));
    });
    return () => control.abort();
  }, [study, tries]);

  // The panel may be closed meanwhile: what was typed is asked about by whoever leaves the study.
  useEffect(() => {
    if (kept && unsaved) keep(study, key, kept);
    else forget(key);
  }, [study, key, kept, unsaved]);

  const save = useCallback(async () => {
    if (!kept) return;
    setSaving(true);
    const { purpose, values } = kept.typed;
    const result = await saveForm(study, { base: kept.base.revision, purpose, values });
    setSaving(false);
    if (result.ok) {
      setProblem(undefined);
      // What was typed while the answer was on its way stays.
      const sent = kept.typed;
      const saved = draftOf(result.value);
      setKept((before) => ({ base: result.value, typed: merged(sent, before?.typed ?? sent, saved) }));
    } else setProblem(result.problem.status === CONFLICT ? "changed" : result.problem.kind);
  }, [kept, study]);

  return {
    form: kept?.base,
    typed: kept?.typed ?? EMPTY,
    type: (typed) => setKept((before) => before && { ...before, typed }),
    unsaved,
    saving,
    problem,
    save: () => void save(),
    reopen: () => setTries(tries + 1),
  };
}

function keep(study: StudyKey, key: string, kept: Kept): void {
  left.set(key, kept);
  holdTab("typed forms", true);
  const save = async () => {
    const { purpose, values } = kept.typed;
    const { ok } = await saveForm(study, { base: kept.base.revision, purpose, values });
    if (ok) forget(key);
    return ok;
  };
  hold(FORM, { what: "form", save, drop: () => forget(key) });
}

function forget(key: string): void {
  left.delete(key);
  holdTab("typed forms", left.size > 0);
  hold(FORM, undefined);
}

function reopened(before: Kept | undefined, base: PathologyForm): Kept {
  const theirs = draftOf(base);
  return { base, typed: before ? merged(draftOf(before.base), before.typed, theirs) : theirs };
}
