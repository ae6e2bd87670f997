// In which order a stack is loaded ahead of the reader. Pure.

/** Frames ahead for each frame behind: most readers go on in the direction they scroll. */
const AHEAD = 3;

/**
 * Indices of a stack of `count` frames outward from `current`, which comes first.
 *
 * Three frames in the reader's direction (1: towards higher indices, -1: lower) come before one in the other.
 */
export function outward(current: number, count: number, direction: 1 | -1 = 1): readonly number[] {
  const inside = (index: number) => index >= 0 && index < count;
  const order = inside(current) ? [current] : [];
  let ahead = 1;
  let behind = 1;
  while (order.length < count && (ahead <= count || behind <= count)) {
    for (let step = 0; step < AHEAD; step += 1, ahead += 1) {
      if (inside(current + ahead * direction)) order.push(current + ahead * direction);
    }
    if (inside(current - behind * direction)) order.push(current - behind * direction);
    behind += 1;
  }
  return order;
}
