// Pictures scrolled together: the others follow the one that is worked in.

import { useEffect } from "react";
import { type Link, linkedIndex } from "../../engine/stack/linked";
import type { StackView } from "../../engine/stack/stackView";

/** While `linked`, lead the other views from where they stand now. */
export function useLinked(views: readonly (StackView | undefined)[], active: number, linked: boolean): void {
  useEffect(() => {
    const leader = views[active];
    if (!(linked && leader)) return undefined;
    const links = new Map<StackView, Link>();
    for (const view of views) {
      if (view && view !== leader) {
        links.set(view, { from: leader.stack.get().wanted, to: view.stack.get().wanted });
      }
    }
    return leader.stack.subscribe(() => {
      for (const [view, link] of links) {
        const index = linkedIndex(leader.allFrames(), leader.stack.get().wanted, view.allFrames(), link);
        if (index !== undefined) view.goTo(index);
      }
    });
  }, [views, active, linked]);
}
