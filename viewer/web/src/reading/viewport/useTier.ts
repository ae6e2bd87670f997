// How sharp the slice is that the reader is at: 0 a quarter of its resolution, 1 a half, 2 as it is stored.

import { useCallback, useSyncExternalStore } from "react";
import { frameStates, tierOf } from "../../engine/loading/frameStates";
import type { Tier } from "../../engine/loading/tiers";
import type { StackView } from "../../engine/stack/stackView";

/** Undefined before anything of the slice is here. */
export function useTier(view: StackView): Tier | undefined {
  const subscribe = useCallback(
    (listener: () => void) => {
      const stops = [view.stack.subscribe(listener), frameStates.subscribe(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    [view],
  );
  return useSyncExternalStore(subscribe, () => tierOf(view.currentFrame()?.imageId ?? ""));
}
