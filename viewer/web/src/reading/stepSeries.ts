// The series before and after the one that is shown, and the stacks within one.

import type { RoomProps, StackRoomProps } from "./StackRoom";

/** Choose the series so many places after the current one; none beyond the ends. */
export function stepSeries(
  { series, current, onSeries }: Pick<RoomProps, "series" | "current" | "onSeries">,
  by: number,
) {
  const index = series.findIndex((one) => one.seriesInstanceUID === current.seriesInstanceUID);
  const next = series[index + by];
  if (next) onSeries(next.seriesInstanceUID);
}

type Stacks = Pick<StackRoomProps, "stacks" | "stack" | "onStack">;

/** Choose the stack (a film of an ultrasound, say) so many places after the one that is shown, across series. */
export function stepStack(room: Stacks & Parameters<typeof stepSeries>[0], by: number) {
  const { stacks, stack, onStack } = room;
  const next = stacks[stacks.findIndex((one) => one.id === stack?.id) + by];
  if (stack && next) onStack(next.id);
  else stepSeries(room, by);
}
