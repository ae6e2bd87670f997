// The series before and after the one that is shown, and the stacks within one.

import type { Stack } from "../engine/frames/stacks";
import type { RoomProps, StackRoomProps } from "./StackRoom";

/** Asks for the last stack of a series, which are not known before its metadata are here. */
const LAST = "last";

/** The stack that is asked for, else the first. */
export function stackNamed(stacks: readonly Stack[], id: string | undefined): Stack | undefined {
  return id === LAST ? stacks.at(-1) : (stacks.find((one) => one.id === id) ?? stacks[0]);
}

function seriesBeside({ series, current }: Pick<RoomProps, "series" | "current">, by: number): string | undefined {
  const index = series.findIndex((one) => one.seriesInstanceUID === current.seriesInstanceUID);
  return series[index + by]?.seriesInstanceUID;
}

/** Choose the series so many places after the current one; none beyond the ends. */
export function stepSeries(room: Pick<RoomProps, "series" | "current" | "onSeries">, by: number) {
  const next = seriesBeside(room, by);
  if (next) room.onSeries(next);
}

type Stacks = Pick<StackRoomProps, "series" | "current" | "stacks" | "stack" | "onStack">;

/** Choose the stack (a film of an ultrasound, say) before (-1) or after (1) the one that is shown, across series. */
export function stepStack(room: Stacks, by: -1 | 1) {
  const { stacks, stack, onStack } = room;
  const next = stacks[stacks.findIndex((one) => one.id === stack?.id) + by];
  const beyond = seriesBeside(room, by);
  if (stack && next) onStack(next.id);
  else if (beyond) onStack(by < 0 ? LAST : undefined, beyond);
}
