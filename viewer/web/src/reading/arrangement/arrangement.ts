// How the pictures of a study stand: the layout, what each pane shows, which one is worked in. Pure.

import type { StudyKey } from "../../api/queries";
import type { Series, Study } from "../../api/types";
import type { Hung } from "../hanging/hang";
import { filled, type Layout, type PaneChoice, withPane } from "./panes";

export interface Arrangement {
  readonly layout: Layout;
  readonly active: number;
  readonly panes: readonly PaneChoice[];
  readonly linked: boolean;
  /** The hanging protocol that this is; undefined: none yet, or the reader's own. */
  readonly protocolId: string | undefined;
  /** The reader has arranged something: no protocol takes it away unasked. */
  readonly own: boolean;
}

export const UNARRANGED: Arrangement = {
  layout: 1,
  active: 0,
  panes: [],
  linked: true,
  protocolId: undefined,
  own: false,
};

function keyOf(study: Study): StudyKey {
  return { studyInstanceUid: study.studyInstanceUID, site: study.site };
}

/** The strip chose for the pane that is worked in; a series that stands there already keeps its window. */
export function follow(
  before: Arrangement,
  study: StudyKey,
  seriesInstanceUid: string,
  stackId: string | undefined,
): Arrangement {
  const there = before.panes[before.active];
  const same = there !== undefined && !there.isPrior && there.seriesInstanceUid === seriesInstanceUid;
  const choice = { study, seriesInstanceUid, stackId, isPrior: false };
  const pane = same ? { ...there, ...choice } : choice;
  const panes = withPane(before.panes, before.active, pane);
  const another = there !== undefined && !same;
  return another ? { ...before, panes, own: true, protocolId: undefined } : { ...before, panes };
}

/** Another number of pictures. */
export function arrange(before: Arrangement, layout: Layout, study: StudyKey, series: readonly Series[]): Arrangement {
  const panes = filled(before.panes, layout, study, series);
  return { ...before, layout, active: 0, panes, own: true, protocolId: undefined };
}

/** Another study of the person beside this one. */
export function beside(before: Arrangement, prior: Study, study: StudyKey, series: readonly Series[]): Arrangement {
  const next = arrange(before, before.layout === 1 ? 2 : before.layout, study, series);
  const choice = { study: keyOf(prior), seriesInstanceUid: undefined, stackId: undefined, isPrior: true };
  return { ...next, panes: withPane(next.panes, 1, choice) };
}

/** As a hanging protocol says. */
export function hungAs(before: Arrangement, protocolId: string, hung: Hung, study: StudyKey): Arrangement {
  const panes = hung.panes.map(({ prior, seriesInstanceUid, words, preset }): PaneChoice => {
    const choice = { study: prior ? keyOf(prior) : study, seriesInstanceUid, stackId: undefined };
    return { ...choice, isPrior: prior !== undefined, words, preset };
  });
  return { ...before, layout: hung.layout, linked: hung.linked, active: 0, panes, protocolId };
}
