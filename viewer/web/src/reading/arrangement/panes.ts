// What the panes of a layout show. Pure.

import type { StudyKey } from "../../api/queries";
import type { Series } from "../../api/types";
import type { Preset } from "../../engine/frames/presets";

/** How many pictures side by side. */
export type Layout = 1 | 2 | 4;
export const LAYOUTS: readonly Layout[] = [1, 2, 4];

/** The layout that a key goes on to. */
export function following(layout: Layout): Layout {
  return LAYOUTS[(LAYOUTS.indexOf(layout) + 1) % LAYOUTS.length] ?? 1;
}

export interface PaneChoice {
  readonly study: StudyKey;
  /** Undefined: the first series. */
  readonly seriesInstanceUid: string | undefined;
  readonly stackId: string | undefined;
  /** The pane shows another study of the same person. */
  readonly isPrior: boolean;
  /** In a prior: words of the description of the series that is wanted. */
  readonly words?: readonly string[];
  /** The window that it opens with; none: the image's own. */
  readonly preset?: Preset["name"] | undefined;
}

export function withPane(panes: readonly PaneChoice[], index: number, choice: PaneChoice): readonly PaneChoice[] {
  const next = [...panes];
  next[index] = choice;
  return next;
}

/** Give every pane of a layout something: what it had, else the next series that no pane shows. */
export function filled(
  panes: readonly PaneChoice[],
  layout: Layout,
  study: StudyKey,
  series: readonly Series[],
): readonly PaneChoice[] {
  const shown = new Set(panes.slice(0, layout).map((pane) => pane.seriesInstanceUid));
  const free = series.map((one) => one.seriesInstanceUID).filter((uid) => !shown.has(uid));
  const first = series[0]?.seriesInstanceUID;
  return Array.from({ length: layout }, (_, index) => {
    const had = panes[index];
    return had ?? { study, seriesInstanceUid: free.shift() ?? first, stackId: undefined, isPrior: false };
  });
}
