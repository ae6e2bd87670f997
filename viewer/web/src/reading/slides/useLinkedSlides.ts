// Two slides that move as one while they are linked; one that comes is put beside the one that is there.

import { useEffect, useRef } from "react";
import { link } from "../../engine/slides/link";
import type { SlideView } from "../../engine/slides/slideView";

export function useLinkedSlides(first: SlideView | undefined, second: SlideView | undefined, linked: boolean): void {
  const before = useRef<readonly (SlideView | undefined)[]>([]);
  useEffect(() => {
    const joining = [second, first].find((view) => !before.current.includes(view));
    before.current = [first, second];
    return first && second && linked ? link(first, second, joining) : undefined;
  }, [first, second, linked]);
}
