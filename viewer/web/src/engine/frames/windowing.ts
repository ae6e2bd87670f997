// VOI arithmetic (PS3.3 C.11.2.1): windows as center and width, and what they do to a value. No DOM.

/** How a window makes grey of values (VOI LUT Function, C.11.2.1.3); LINEAR is the one that needs no saying. */
export type VoiFunction = "LINEAR_EXACT" | "SIGMOID";

export interface VoiWindow {
  readonly center: number;
  readonly width: number;
  /** Absent: LINEAR. */
  readonly function?: VoiFunction;
}

/** The lowest and highest value that a window tells apart, as the viewport wants them. */
export interface VoiRange {
  readonly lower: number;
  readonly upper: number;
}

const WIDTH_MIN = 1;
/** Of functions other than LINEAR, which may be narrower than one unit. */
const EXACT_WIDTH_MIN = 1e-9;
/** Windows narrower than this are told with decimals. */
const WHOLE_FROM = 10;
const DECIMALS_MAX = 9;

function widthMin(voiFunction: VoiFunction | undefined): number {
  return voiFunction ? EXACT_WIDTH_MIN : WIDTH_MIN;
}

/** A window with the function that is told; undefined when it is too narrow for it (C.11.2.1.2.1, C.11.2.1.3). */
export function windowOfFunction(center: number, width: number, told: string | undefined): VoiWindow | undefined {
  const voiFunction = told === "LINEAR_EXACT" || told === "SIGMOID" ? told : undefined;
  if (!(width >= widthMin(voiFunction))) return undefined;
  return voiFunction ? { center, width, function: voiFunction } : { center, width };
}

/**
 * The range of a LINEAR window (C.11.2.1.2.1): center - 0.5 -/+ (width - 1) / 2; of others center -/+ width / 2.
 *
 * A LINEAR width of 1 is a threshold; the range then is empty and everything above it is white.
 */
export function rangeOf(window: VoiWindow): VoiRange {
  const width = Math.max(window.width, widthMin(window.function));
  if (window.function) return { lower: window.center - width / 2, upper: window.center + width / 2 };
  const half = (width - 1) / 2;
  return { lower: window.center - 0.5 - half, upper: window.center - 0.5 + half };
}

/** The inverse of `rangeOf`. */
export function windowOf({ lower, upper }: VoiRange, voiFunction?: VoiFunction): VoiWindow {
  const center = (lower + upper) / 2;
  if (voiFunction) return { center, width: Math.max(upper - lower, EXACT_WIDTH_MIN), function: voiFunction };
  return { center: center + 0.5, width: Math.max(upper - lower + 1, WIDTH_MIN) };
}

/** The grey level, 0 to 255, that a window gives to a modality value such as a Hounsfield unit. */
export function greyOf(value: number, window: VoiWindow): number {
  if (window.function === "SIGMOID") return 255 / (1 + Math.exp((-4 * (value - window.center)) / window.width));
  const { lower, upper } = rangeOf(window);
  if (value <= lower) return 0;
  if (value > upper) return 255;
  return ((value - lower) / (upper - lower)) * 255;
}

export function sameWindow(one: VoiWindow, other: VoiWindow): boolean {
  return one.center === other.center && one.width === other.width && one.function === other.function;
}

/** The window over all values of an image, for images that declare none; of fractions to their very ends. */
export function fullWindow(lowest: number, highest: number): VoiWindow {
  const isWhole = Number.isInteger(lowest) && Number.isInteger(highest);
  return windowOf({ lower: lowest, upper: Math.max(highest, lowest) }, isWhole ? undefined : "LINEAR_EXACT");
}

/** A window scaled about its center: 0.5 doubles the contrast, 2 halves it. */
export function withContrast(window: VoiWindow, factor: number): VoiWindow {
  return { ...window, width: Math.max(window.width * factor, widthMin(window.function)) };
}

/** Decimals that a window is told with: none, except for windows so narrow that they need some. */
export function decimalsOf(window: VoiWindow): number {
  if (window.width >= WHOLE_FROM) return 0;
  return Math.min(Math.max(1, 1 - Math.floor(Math.log10(window.width))), DECIMALS_MAX);
}

/** Rounded for display. */
export function rounded(window: VoiWindow): VoiWindow {
  const step = 10 ** decimalsOf(window);
  return { ...window, center: Math.round(window.center * step) / step, width: Math.round(window.width * step) / step };
}
