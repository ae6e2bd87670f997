// What becomes known of the slice that the reader is at, as it loads.

import { useCallback, useSyncExternalStore } from "react";
import type { Frame } from "../../engine/frames/frame";
import { frameStates, tierOf } from "../../engine/loading/frameStates";
import type { Tier } from "../../engine/loading/tiers";
import type { StackView } from "../../engine/stack/stackView";

/** How sharp it is: 0 a quarter of its resolution, 1 a half, 2 as it is stored; undefined before anything of it is here. */
export function useTier(view: StackView): Tier | undefined {
  return useSlice(view, (frame) => tierOf(frame?.imageId ?? ""));
}

/** What it brings to be shown by and cannot be shown by. */
export function useDisplayIgnored(view: StackView): Frame["displayIgnored"] {
  return useSlice(view, (frame) => frame?.displayIgnored);
}

export function useModality(view: StackView | undefined): string | undefined {
  return useSlice(view, (frame) => frame?.modality);
}

/** What its values count. */
export function useRescaleType(view: StackView | undefined): Frame["rescale"]["type"] {
  return useSlice(view, (frame) => frame?.rescale.type);
}

function useSlice<T extends string | number | undefined>(
  view: StackView | undefined,
  read: (frame: Frame | undefined) => T,
): T {
  const subscribe = useCallback(
    (listener: () => void) => {
      if (!view) return () => undefined;
      const stops = [view.stack.subscribe(listener), frameStates.subscribe(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    [view],
  );
  return useSyncExternalStore(subscribe, () => read(view?.currentFrame()));
}
