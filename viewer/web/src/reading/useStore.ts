// An engine store as React state, reduced to the part that a component shows.

import { useSyncExternalStore } from "react";
import type { Store } from "../engine/emitter";

/** `part` must give a primitive, or the same object for the same value. */
export function useStore<T, P>(store: Store<T>, part: (value: T) => P): P {
  return useSyncExternalStore(store.subscribe, () => part(store.get()));
}
