// What the room and the worker that draws bulk annotations tell each other.

import type { DrawnTile, DrawOrder } from "../tileMessages";

/** A group that is on. */
export interface Ink {
  /** Index among all groups. */
  readonly group: number;
  /** Address of its tiles: `{tiles}/{octave}/{column}_{row}{query}`. */
  readonly tiles: string;
  readonly query: string;
  readonly color: string;
}

export interface FindOrder {
  readonly kind: "find";
  readonly order: number;
  readonly key: string;
  readonly inks: readonly Ink[];
  /** In pixels of the tile. */
  readonly right: number;
  readonly down: number;
  readonly reach: number;
}

export interface Found {
  readonly kind: "found";
  readonly order: number;
  readonly group: number | undefined;
  readonly number: number | undefined;
  readonly points: Float32Array | undefined;
}

export type Order = DrawOrder<Ink> | FindOrder;
export type Told = DrawnTile | Found;
