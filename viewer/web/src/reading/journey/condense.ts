// A study's events as a line of dots: the same thing again and again is one dot. Pure.

import type { TraceEvent } from "../../api/types";

export interface Dot {
  readonly key: number;
  readonly name: string;
  readonly count: number;
  readonly first: Date;
  readonly last: Date;
  /** Something that a person should look at. */
  readonly bad: boolean;
}

const BAD = new Set(["InstanceConflict", "InstanceQuarantined", "StudyHeld", "DeliveryFailed"]);
/** Events of instances and batches interleave while a study flows, so each has one dot until one of these comes. */
const MILESTONES = new Set([
  "StudyComplete",
  "StudyDeidentified",
  "StudyHeld",
  "StudyDelivered",
  "StudyOpened",
  "ReportSigned",
  "ReportReturned",
]);

export function condense(events: readonly TraceEvent[]): readonly Dot[] {
  const dots: Dot[] = [];
  /** Since the last milestone: where the dot of each name is. */
  const places = new Map<string, number>();
  for (const event of [...events].sort((a, b) => a.seq - b.seq)) {
    const { name, seq } = event;
    const at = new Date(event.at);
    const place = MILESTONES.has(name) && dots.at(-1)?.name !== name ? undefined : places.get(name);
    if (MILESTONES.has(name)) places.clear();
    const dot = place === undefined ? undefined : dots[place];
    if (dot && place !== undefined) dots[place] = { ...dot, count: dot.count + 1, last: at };
    else dots.push({ key: seq, name, count: 1, first: at, last: at, bad: BAD.has(name) });
    places.set(name, place ?? dots.length - 1);
  }
  return dots;
}
