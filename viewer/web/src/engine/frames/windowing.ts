// VOI arithmetic (PS3.3 C.11.2.1): windows as center and width, and what they do to a value. No DOM.

export interface VoiWindow {
  readonly center: number;
  readonly width: number;
}

/** The lowest and highest value that a window tells apart, as the viewport wants them. */
export interface VoiRange {
  readonly lower: number;
  readonly upper: number;
}

const WIDTH_MIN = 1;

/**
 * The range of a LINEAR window (C.11.2.1.2.1): center - 0.5 -/+ (width - 1) / 2.
 *
 * A width of 1 is a threshold; the range then is empty and everything above it is white.
 */
export function rangeOf(window: VoiWindow): VoiRange {
  const half = (Math.max(window.width, WIDTH_MIN) - 1) / 2;
  return { lower: window.center - 0.5 - half, upper: window.center - 0.5 + half };
}

/** The inverse of `rangeOf`. */
export function windowOf(range: VoiRange): VoiWindow {
  const width = Math.max(range.upper - range.lower + 1, WIDTH_MIN);
  return { center: (range.lower + range.upper) / 2 + 0.5, width };
}

/** The grey level, 0 to 255, that a LINEAR window gives to a modality value such as a Hounsfield unit. */
export function greyOf(value: number, window: VoiWindow): number {
  const { lower, upper } = rangeOf(window);
  if (value <= lower) return 0;
  if (value > upper) return 255;
  return ((value - (window.center - 0.5)) / (window.width - 1) + 0.5) * 255;
}

/** The window over all values of an image, for images that declare none. */
export function fullWindow(lowest: number, highest: number): VoiWindow {
  return windowOf({ lower: lowest, upper: Math.max(highest, lowest) });
}

/** A window scaled about its center: 0.5 doubles the contrast, 2 halves it. */
export function withContrast(window: VoiWindow, factor: number): VoiWindow {
  return { center: window.center, width: Math.max(window.width * factor, WIDTH_MIN) };
}

/** Rounded for display: whole numbers, except for windows so narrow that they need a decimal. */
export function rounded(window: VoiWindow): VoiWindow {
  const step = window.width < 10 ? 10 : 1;
  return { center: Math.round(window.center * step) / step, width: Math.round(window.width * step) / step };
}
