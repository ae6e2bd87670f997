// The engine's viewport for the life of an element.

import { type RefObject, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Frame } from "../engine/frame";
import type { Length } from "../engine/measure";
import { StackView } from "../engine/stackView";
import { formatNumber } from "../ui/format";
import { usePreferences } from "../ui/preferences";

export interface Opened {
  readonly view: StackView | undefined;
  readonly failed: boolean;
}

/** Open a viewport in `elementRef`; `failed` when this browser cannot. */
export function useStackView(elementRef: RefObject<HTMLDivElement | null>): Opened {
  const { t } = useTranslation("reading");
  const language = usePreferences((preferences) => preferences.language);
  const [opened, setOpened] = useState<Opened>({ view: undefined, failed: false });
  const write = useRef((length: Length) => `${length.value}`);

  useEffect(() => {
    write.current = (length) =>
      t(`calibration.${length.calibration}`, { value: formatNumber(length.value, language, 1) });
  }, [t, language]);

  useEffect(() => {
    const element = elementRef.current;
    if (!element) return undefined;
    let view: StackView | undefined;
    try {
      view = new StackView(element, (length) => write.current(length));
      setOpened({ view, failed: false });
    } catch {
      setOpened({ view: undefined, failed: true });
    }
    return () => view?.destroy();
  }, [elementRef]);

  return opened;
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
