// A value that may change often, seen at most once in a while.

import { useEffect, useState } from "react";

/** `value`, at most one change per `waitMs`; another `scope` is seen at once. */
export function useThrottled<T>(value: T, waitMs: number, scope: string): T {
  const [seen, setSeen] = useState({ value, scope, atMs: 0 });
  const current = seen.scope === scope ? seen : { value, scope, atMs: 0 };
  useEffect(() => {
    const nowMs = performance.now();
    if (Object.is(current.value, value) && current === seen) return undefined;
    const leftMs = Math.max(0, current.atMs + waitMs - nowMs);
    const timer = setTimeout(() => setSeen({ value, scope, atMs: performance.now() }), current === seen ? leftMs : 0);
    return () => clearTimeout(timer);
  }, [value, waitMs, scope, seen, current]);
  return current.value;
}
