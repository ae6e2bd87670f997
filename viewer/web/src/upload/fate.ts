// What became of a study at this node after it came in, read from its trace. Pure.

import type { TraceEvent } from "../api/types";

export interface Fate {
  readonly received: number;
  readonly deidentified: number;
  readonly delivered: boolean;
  /** Why instances wait, each reason once, in stable words of the node. */
  readonly held: readonly string[];
  readonly heldCount: number;
}

export function fateOf(events: readonly TraceEvent[]): Fate {
  const named = (name: string) => events.filter((event) => event.name === name);
  const held = named("StudyHeld");
  return {
    received: named("InstanceReceived").length,
    deidentified: named("InstanceDeidentified").length,
    delivered: named("StudyDelivered").length > 0,
    held: [...new Set(held.map((event) => [event.detail["because"], event.detail["kind"]].filter(Boolean).join(" ")))],
    heldCount: held.length,
  };
}
