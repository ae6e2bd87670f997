// The series before and after the one that is shown.

import type { RoomProps } from "./StackRoom";

/** Choose the series so many places after the current one; none beyond the ends. */
export function stepSeries(
  { series, current, onSeries }: Pick<RoomProps, "series" | "current" | "onSeries">,
  by: number,
) {
  const index = series.findIndex((one) => one.seriesInstanceUID === current.seriesInstanceUID);
  const next = series[index + by];
  if (next) onSeries(next.seriesInstanceUID);
}
