// What the room and the worker that draws segmentations tell each other.

/** A segment that is on. */
export interface SegmentInk {
  readonly number: number;
  readonly color: readonly [number, number, number];
  /** From nothing to one. */
  readonly opacity: number;
}

/** A segmentation that has segments which are on. */
export interface Ink {
  /** Address of its tiles: `{tiles}/{octave}/{column}_{row}{query}`. */
  readonly tiles: string;
  readonly query: string;
  readonly segments: readonly SegmentInk[];
}
