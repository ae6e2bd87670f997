// Holding a press back before any tool hears of it.

/** Keep presses on an element from the tools while `mustWait`; `told` hears of each. Answers how to stop. */
export function holdPresses(element: HTMLElement, mustWait: () => boolean, told: () => void): () => void {
  const hold = (event: Event) => {
    const secondary = event instanceof MouseEvent && event.button !== 0;
    if (secondary || !mustWait()) return;
    event.stopImmediatePropagation();
    told();
  };
  const kinds = ["mousedown", "touchstart"] as const;
  for (const kind of kinds) element.addEventListener(kind, hold, { capture: true });
  return () => {
    for (const kind of kinds) element.removeEventListener(kind, hold, { capture: true });
  };
}
