// Keys as a table: what a key press means, unless somebody is typing.

import { useEffect, useRef } from "react";
import { bound, chordOf } from "./chords";
import { useRemap } from "./keyScope";

export type KeyTable = Readonly<Record<string, (event: KeyboardEvent) => void>>;

const SLIDER_KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);

/** Where the page has the keys that move a slider: whoever is at the slider means the slider. */
export function keepSliderKeys(event: Pick<KeyboardEvent, "key" | "stopPropagation">): void {
  if (SLIDER_KEYS.has(event.key)) event.stopPropagation();
}

/** Whether a press belongs to a text field, a list or an open dialogue rather than to the page. */
function isElsewhere(event: KeyboardEvent): boolean {
  const target = event.target;
  if (document.querySelector("[role=dialog]")) return true;
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("textarea, select, input:not([type=range]), [role=menuitem]");
}

/** Listen on the window for keys as `chordOf` says them, or as a person changed them; the table may change at every render. */
export function useKeys(table: KeyTable): void {
  const remap = useRemap();
  const current = useRef(table);
  useEffect(() => {
    current.current = table;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const keys = bound(current.current, remap);
      const held = event.ctrlKey || event.metaKey || event.altKey;
      const action = keys[chordOf(event)] ?? (held ? undefined : keys[event.key]);
      if (!action || isElsewhere(event)) return;
      event.preventDefault();
      action(event);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [remap]);
}
