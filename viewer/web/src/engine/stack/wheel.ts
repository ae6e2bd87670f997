// How many slices a turn of the wheel is. Pure.

/** Trackpads send many small steps; this many pixels of them are one slice. */
const PIXELS_PER_SLICE = 50;
const PIXELS_PER_LINE = 40;

export interface Turn {
  /** Whole slices to go, negative towards the first. */
  readonly slices: number;
  /** Pixels left over for the next turn. */
  readonly rest: number;
}

/**
 * The slices of one wheel event of `delta` in `mode` (WheelEvent.deltaMode: 0 pixels, 1 lines, 2 pages).
 *
 * A mouse's notch is one slice however large it is; a trackpad's small steps add up with the `rest` of those before.
 */
export function turn(rest: number, delta: number, mode: number): Turn {
  const pixels = mode === 0 ? delta : delta * PIXELS_PER_LINE;
  if (Math.abs(pixels) >= PIXELS_PER_SLICE) return { slices: Math.sign(pixels), rest: 0 };
  // Turning round forgets what was left over in the other direction.
  const sum = (Math.sign(rest) === Math.sign(pixels) ? rest : 0) + pixels;
  const slices = Math.trunc(sum / PIXELS_PER_SLICE) || 0; // no minus nought
  return { slices, rest: sum - slices * PIXELS_PER_SLICE };
}
