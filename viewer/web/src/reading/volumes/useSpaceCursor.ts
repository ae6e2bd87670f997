// The 3D cursor: the point under the mouse, shown in every picture of the same space.

import { useEffect, useMemo, useRef } from "react";
import { createStore, type Store } from "../../engine/emitter";
import type { Frame } from "../../engine/frames/frame";
import type { Vector } from "../../engine/frames/geometry";
import { inOneSpace, sliceNear } from "../../engine/stack/pointing";
import type { StackView } from "../../engine/stack/stackView";

export interface SpacePoint {
  readonly place: Vector;
  /** Whose space it is in. */
  readonly frame: Frame;
}

export interface SpaceCursor {
  readonly point: Store<SpacePoint | undefined>;
  /** Take the place under the mouse; none there, and there is no point any more. */
  readonly onPoint: () => void;
}

type Views = readonly (StackView | undefined)[];

export function useSpaceCursor(views: Views): SpaceCursor {
  const mouse = useRef<readonly [number, number]>([-1, -1]);
  const point = useMemo(() => createStore<SpacePoint | undefined>(undefined), []);
  useEffect(() => {
    const follow = (event: PointerEvent) => {
      mouse.current = [event.clientX, event.clientY];
    };
    window.addEventListener("pointermove", follow, { passive: true });
    return () => window.removeEventListener("pointermove", follow);
  }, []);
  const onPoint = () => {
    const found = under(views, mouse.current);
    point.set(found?.point);
    if (found) bringTo(views, found.view, found.point);
  };
  return { point, onPoint };
}

function under(views: Views, [x, y]: readonly [number, number]) {
  for (const view of views) {
    const [place, frame] = [view?.placeUnder(x, y), view?.currentFrame()];
    if (view && place && frame) return { view, point: { place, frame } };
  }
  return undefined;
}

/** Every other picture of that space goes to the slice that the point is on. */
function bringTo(views: Views, from: StackView, { place, frame }: SpacePoint): void {
  for (const view of views) {
    if (!view || view === from || !inOneSpace(frame, view.allFrames()[0])) continue;
    const index = sliceNear(view.allFrames(), place);
    if (index !== undefined) view.goTo(index);
  }
}
