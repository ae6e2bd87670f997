// What a layer of tiles and the worker that draws them tell each other.

export interface DrawOrder<Ink> {
  readonly kind: "draw";
  readonly order: number;
  /** `{octave}/{column}_{row}` */
  readonly key: string;
  readonly inks: readonly Ink[];
}

export interface DrawnTile {
  readonly kind: "drawn";
  readonly order: number;
  /** None when there is nothing to draw. */
  readonly bitmap: ImageBitmap | undefined;
  /** How many inks' tiles did not come. */
  readonly failed: number;
  /** The node is still making it ready: nothing is drawn yet. */
  readonly busy: boolean;
}

/** What is answered when drawing itself fails, for want of memory, say: who hears nothing waits. */
export function notDrawn({ order, inks }: DrawOrder<unknown>): DrawnTile {
  return { kind: "drawn", order, bitmap: undefined, failed: inks.length, busy: false };
}
