// Values to greys (PS3.3 C.11.2.1.2.1, LINEAR), straight into a picture's bytes.

import { rangeOf, type VoiWindow } from "../frames/windowing";

const OPAQUE = 0xff000000;

/** Grey levels for values, as little-endian RGBA; what is not a number is black, inverted or not. */
export function paint(pixels: Uint32Array, values: Float32Array, window: VoiWindow, inverted: boolean): void {
  const { lower, upper } = rangeOf(window);
  const scale = 255 / Math.max(upper - lower, Number.MIN_VALUE);
  const count = Math.min(pixels.length, values.length);
  for (let at = 0; at < count; at += 1) {
    const value = values[at] as number;
    let grey = value > upper ? 255 : value > lower ? ((value - lower) * scale + 0.5) | 0 : 0;
    if (inverted && !Number.isNaN(value)) grey = 255 - grey;
    pixels[at] = OPAQUE | (grey * 0x010101);
  }
}
