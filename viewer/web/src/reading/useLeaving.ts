// Going elsewhere, which is asked about first while something is drawn and not saved.

import { useCallback, useRef, useState } from "react";
import { holdTab } from "../ui/unload";

/** What is not saved. */
export interface Unsaved {
  /** Tells whether it succeeded; none: it can only be dropped. */
  readonly save: (() => Promise<boolean>) | undefined;
  readonly drop: () => void;
}

export interface Leaving {
  /** Go, now or when somebody has said what becomes of what is not saved. */
  readonly leave: (go: () => void) => void;
  /** Told by a room what is not saved there, and when all is. */
  readonly hold: (unsaved: Unsaved | undefined) => void;
  /** Asked at the moment. */
  readonly question: (Unsaved & { readonly go: () => void }) | undefined;
  readonly stay: () => void;
}

export function useLeaving(): Leaving {
  const held = useRef<Unsaved>(undefined);
  const [question, ask] = useState<Leaving["question"]>();
  const hold = useCallback((unsaved: Unsaved | undefined) => {
    held.current = unsaved;
    holdTab("marks", unsaved !== undefined);
  }, []);
  const leave = useCallback((go: () => void) => {
    if (held.current) ask({ ...held.current, go });
    else go();
  }, []);
  return { leave, hold, question, stay: () => ask(undefined) };
}
