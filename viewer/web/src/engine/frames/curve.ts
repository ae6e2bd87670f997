// Transformations to grey that are no straight line between two values: a sigmoid window, a VOI lookup table. Pure.

import { type Lookup, looked } from "./lookup";
import { greyOf, type VoiRange, type VoiWindow } from "./windowing";

/** Grey, 0 to 1, of a value; beyond the range it hardly changes. */
export interface Curve extends VoiRange {
  readonly grey: (value: number) => number;
}

/** A sigmoid so many widths from its center is within a thousandth of black or white. */
const SIGMOID_WIDTHS = 2;

/** Undefined: a straight line will do. */
export function curveOf(window: VoiWindow, lookup: Lookup | undefined): Curve | undefined {
  if (lookup) {
    const white = 2 ** lookup.bits - 1;
    const { lower, upper } = rangeOfLookup(lookup);
    return { lower, upper, grey: (value) => Math.min(looked(lookup, value) / white, 1) };
  }
  if (window.function !== "SIGMOID") return undefined;
  const [lower, upper] = [-1, 1].map((side) => window.center + side * SIGMOID_WIDTHS * window.width) as [
    number,
    number,
  ];
  return { lower, upper, grey: (value) => greyOf(value, window) / 255 };
}

/** The values that a table tells apart. */
export function rangeOfLookup({ first, entries }: Lookup): VoiRange {
  return { lower: first, upper: first + entries.length - 1 };
}
