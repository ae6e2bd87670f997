// What the room and the worker that draws bulk annotations tell each other.

/** A group that is on. */
export interface Ink {
  /** Index among all groups. */
  readonly group: number;
  /** Address of its tiles: `{tiles}/{octave}/{column}_{row}{query}`. */
  readonly tiles: string;
  readonly query: string;
  readonly color: string;
}

export type Order =
  | { readonly kind: "draw"; readonly order: number; readonly key: string; readonly inks: readonly Ink[] }
  | {
      readonly kind: "find";
      readonly order: number;
      readonly key: string;
      readonly inks: readonly Ink[];
      /** In pixels of the tile. */
      readonly right: number;
      readonly down: number;
      readonly reach: number;
    };

export type Told =
  /** `bitmap`: none when there is nothing to draw. `failed`: how many groups' tiles did not come. */
  | {
      readonly kind: "drawn";
      readonly order: number;
      readonly bitmap: ImageBitmap | undefined;
      readonly failed: number;
    }
  | {
      readonly kind: "found";
      readonly order: number;
      readonly group: number | undefined;
      readonly number: number | undefined;
      readonly points: Float32Array | undefined;
    };
