// The engine's viewport for the life of an element.

import { type RefObject, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Frame } from "../../engine/frames/frame";
import { type MarkWords, StackView } from "../../engine/stack/stackView";
import { usePreferences } from "../../ui/preferences";
import type { ArrowQuestion } from "./ArrowText";
import { wordsOf } from "./markWords";

export interface Opened {
  readonly view: StackView | undefined;
  readonly failed: boolean;
  /** What an arrow shall say, while that is asked. */
  readonly question: ArrowQuestion | undefined;
  readonly answered: () => void;
}

/** Open a viewport in `elementRef`; `failed` when this browser cannot. */
export function useStackView(elementRef: RefObject<HTMLDivElement | null>): Opened {
  const { t } = useTranslation(["reading", "volumes"]);
  const language = usePreferences((preferences) => preferences.language);
  const [view, setView] = useState<StackView>();
  const [failed, setFailed] = useState(false);
  const [question, setQuestion] = useState<ArrowQuestion>();
  const describe = useRef<MarkWords["describe"]>(() => []);

  useEffect(() => {
    describe.current = (reading) => wordsOf(reading, t, language);
  }, [t, language]);

  useEffect(() => {
    const element = elementRef.current;
    if (!element) return undefined;
    let made: StackView | undefined;
    try {
      made = new StackView(element, {
        describe: (reading) => describe.current(reading),
        ask: (current, done) => setQuestion({ current, done }),
      });
      setView(made);
    } catch {
      setFailed(true);
    }
    return () => {
      made?.destroy();
      setView(undefined);
    };
  }, [elementRef]);

  return { view, failed, question, answered: () => setQuestion(undefined) };
}

/** Keep the viewport on a stack: another `id` is another stack, more frames under one id are the same one growing. */
export function useStack(view: StackView | undefined, id: string, frames: readonly Frame[]): void {
  const shown = useRef<{ view: StackView; id: string }>(undefined);
  useEffect(() => {
    if (!view) return;
    const same = shown.current?.view === view && shown.current.id === id;
    shown.current = { view, id };
    if (same) view.grow(frames);
    else view.show(frames);
  }, [view, id, frames]);
}
