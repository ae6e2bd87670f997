// The time of day, for texts such as "3 minutes ago": one ticker for the whole page.

import { useSyncExternalStore } from "react";

const TICK_MS = 5_000;
let now = new Date();

function subscribe(listener: () => void): () => void {
  const timer = setInterval(() => {
    now = new Date();
    listener();
  }, TICK_MS);
  return () => clearInterval(timer);
}

export function useNow(): Date {
  return useSyncExternalStore(subscribe, () => now);
}
