// Which of the instances that wait is meant. Pure.

import type { PixelReview } from "../api/types";

/** What names a review: an instance may wait at two sites, and under two profiles. */
export function keyOf(review: PixelReview): string {
  return `${review.site}/${review.profile}/${review.sopInstanceUID}`;
}

/** The one so many places after the chosen one, round and round; the first (or last) when none is chosen. */
export function beyond(
  waiting: readonly PixelReview[],
  chosen: string | undefined,
  by: number,
): PixelReview | undefined {
  const at = waiting.findIndex((review) => keyOf(review) === chosen);
  const from = at < 0 && by < 0 ? 0 : at;
  return waiting[(from + by + waiting.length) % waiting.length];
}
