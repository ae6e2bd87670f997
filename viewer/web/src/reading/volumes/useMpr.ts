// The reconstruction of a stack for as long as a component shows it.

import { useEffect, useRef, useState } from "react";
import type { Stack } from "../../engine/frames/stacks";
import { type Built, build } from "../../engine/volumes/build";

/** Undefined while there is none, or when the stack is no volume. A stack that grew is shown as it was before. */
export function useMpr(stack: Stack | undefined, stackKey: string): Built | undefined {
  const [built, setBuilt] = useState<Built>();
  const last = useRef<{ readonly key: string; readonly built: Built }>(undefined);
  useEffect(() => {
    const before = last.current?.key === stackKey ? last.current.built.mpr.state.get() : undefined;
    const made = stack && build(stack, before);
    last.current = made && { key: stackKey, built: made };
    setBuilt(made);
    return () => made?.gathering.stop();
  }, [stack, stackKey]);
  return built;
}
