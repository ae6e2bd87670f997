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
  /** Go, now or when somebody has said what becomes of what is not saved; `also`: what else is lost by it. */
  readonly leave: (go: () => void, also?: Unsaved) => void;
  /** Told by a room what is not saved there, and when all is. */
  readonly hold: (unsaved: Unsaved | undefined) => void;
  /** Asked at the moment. */
  readonly question: (Unsaved & { readonly go: () => void }) | undefined;
  readonly stay: () => void;
}

function together(one: Unsaved | undefined, other: Unsaved | undefined): Unsaved | undefined {
  if (!(one && other)) return one ?? other;
  const { save, drop } = one;
  const also = other.save;
  return {
    save: save && also ? async () => (await save()) && (await also()) : undefined,
    drop: () => {
      drop();
      other.drop();
    },
  };
}

export function useLeaving(): Leaving {
  const held = useRef<Unsaved>(undefined);
  const [question, ask] = useState<Leaving["question"]>();
  const hold = useCallback((unsaved: Unsaved | undefined) => {
    held.current = unsaved;
    holdTab("marks", unsaved !== undefined);
  }, []);
  const leave = useCallback((go: () => void, also?: Unsaved) => {
    const unsaved = together(held.current, also);
    if (unsaved) ask({ ...unsaved, go });
    else go();
  }, []);
  return { leave, hold, question, stay: () => ask(undefined) };
}
