// A study's events as a line of dots: the same thing again and again is one dot. Pure.

import type { TraceEvent } from "../api/types";

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
/** Instance events interleave while a study flows, so each of them gets one dot until the study goes on. */
const PER_INSTANCE = new Set(["InstanceReceived", "InstanceDeidentified", "InstanceDelivered"]);

export function condense(events: readonly TraceEvent[]): readonly Dot[] {
  const dots: Dot[] = [];
  let run = new Map<string, number>();
  for (const event of [...events].sort((a, b) => a.seq - b.seq)) {
    const at = new Date(event.at);
    if (!PER_INSTANCE.has(event.name)) run = new Map();
    const previous = PER_INSTANCE.has(event.name) ? run.get(event.name) : repeated(dots, event.name);
    const dot = previous === undefined ? undefined : dots[previous];
    if (dot && previous !== undefined) dots[previous] = { ...dot, count: dot.count + 1, last: at };
    else {
      if (PER_INSTANCE.has(event.name)) run.set(event.name, dots.length);
      dots.push({ key: event.seq, name: event.name, count: 1, first: at, last: at, bad: BAD.has(event.name) });
    }
  }
  return dots;
}

function repeated(dots: readonly Dot[], name: string): number | undefined {
  return dots.at(-1)?.name === name ? dots.length - 1 : undefined;
}
