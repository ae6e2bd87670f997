// Values to greys (PS3.3 C.11.2.1), straight into a picture's bytes.

import { type Curve, curveOf } from "../frames/curve";
import type { Lookup } from "../frames/lookup";
import { rangeOf, type VoiWindow } from "../frames/windowing";

/** What values are shown by: the table, where there is one, else the window. */
export interface ShownBy {
  readonly window: VoiWindow;
  readonly lookup: Lookup | undefined;
}

const OPAQUE = 0xff000000;
const GREY = 0x010101;
const WHITE = 255;
/** A sigmoid is drawn by so many steps: less than half a grey level each. */
const SIGMOID_STEPS = 4096;

/** Grey levels for values, as little-endian RGBA; what is not a number is black, inverted or not. */
export function paint(pixels: Uint32Array, values: Float32Array, shownBy: ShownBy, inverted: boolean): void {
  const curve = curveOf(shownBy.window, shownBy.lookup);
  if (curve) paintCurve(pixels, values, curve, shownBy.lookup ? curve.upper - curve.lower : SIGMOID_STEPS, inverted);
  else paintLine(pixels, values, shownBy.window, inverted);
}

function paintLine(pixels: Uint32Array, values: Float32Array, window: VoiWindow, inverted: boolean): void {
  const { lower, upper } = rangeOf(window);
  const scale = WHITE / Math.max(upper - lower, Number.MIN_VALUE);
  const count = Math.min(pixels.length, values.length);
  for (let at = 0; at < count; at += 1) {
    const value = values[at] as number;
    let grey = value > upper ? WHITE : value > lower ? ((value - lower) * scale + 0.5) | 0 : 0;
    if (inverted && !Number.isNaN(value)) grey = WHITE - grey;
    pixels[at] = OPAQUE | (grey * GREY);
  }
}

/** By a table of as many equal steps; a value between two of them has the lower one's grey, as in a lookup table. */
function paintCurve(pixels: Uint32Array, values: Float32Array, curve: Curve, steps: number, inverted: boolean): void {
  const { lower, upper, grey } = curve;
  const perStep = (upper - lower) / steps || 1;
  const greys = Uint32Array.from({ length: steps + 1 }, (_, step) => {
    const level = Math.round(grey(lower + step * perStep) * WHITE);
    return OPAQUE | ((inverted ? WHITE - level : level) * GREY);
  });
  const [first, last] = [greys[0] as number, greys[steps] as number];
  const count = Math.min(pixels.length, values.length);
  for (let at = 0; at < count; at += 1) {
    const value = values[at] as number;
    if (value >= upper) pixels[at] = last;
    else if (value > lower) pixels[at] = greys[((value - lower) / perStep) | 0] as number;
    else pixels[at] = Number.isNaN(value) ? OPAQUE : first;
  }
}
