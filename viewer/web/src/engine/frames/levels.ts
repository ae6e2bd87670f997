// Values of any kind as whole levels from nought to 65,535, which every renderer draws alike, and levels as values again.
// Pure.

/** A value is `first` for the level nought, and `step` more for each level. */
export interface LevelScale {
  readonly first: number;
  readonly step: number;
}

export interface Levels {
  readonly samples: Uint16Array;
  readonly scale: LevelScale;
  /** Whether each value is told by its level; if not, levels are for the eye alone. */
  readonly exact: boolean;
}

/** Levels that are values themselves. */
export const PLAIN: LevelScale = { first: 0, step: 1 };

const LEVEL_MAX = 65_535;

function rangeOf(values: ArrayLike<number>): readonly [number, number] {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] as number;
    if (!Number.isFinite(value)) continue;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return lowest <= highest ? [lowest, highest] : [0, 0];
}

/**
 * The levels of values that lie a multiple of `step` apart, if that is known.
 *
 * Where such steps are more than there are levels, or nothing is known, levels divide the range evenly. What is not a
 * number has the lowest level.
 */
export function levelsOf(values: ArrayLike<number>, step?: number): Levels {
  const [first, highest] = rangeOf(values);
  const fits = step !== undefined && step > 0 && (highest - first) / step <= LEVEL_MAX;
  const size = fits ? step : (highest - first) / LEVEL_MAX || 1;
  const samples = new Uint16Array(values.length);
  for (let at = 0; at < values.length; at += 1) {
    const level = Math.round(((values[at] as number) - first) / size);
    samples[at] = level > 0 ? Math.min(level, LEVEL_MAX) : 0;
  }
  return { samples, scale: { first, step: size }, exact: fits };
}

export function levelAt(value: number, { first, step }: LevelScale): number {
  return (value - first) / step;
}

export function valueAt(level: number, { first, step }: LevelScale): number {
  return first + level * step;
}
