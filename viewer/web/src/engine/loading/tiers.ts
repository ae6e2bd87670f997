// Frames in steps of resolution: which have them, and in which order a stack is loaded on a thin line. Pure.

import { type Frame, isWide } from "../frames/frame";

/** How much of a frame is here: 0 a quarter of its resolution, 1 a half, 2 every sample as it is stored. */
export type Tier = 0 | 1 | 2;
export const WHOLE: Tier = 2;
const TIERS: readonly Tier[] = [0, 1, 2];

/** From here on steps are worth their requests, pixels. */
const PIXELS_MIN = 128 * 128;

/** Whether the server can give a frame in steps: grayscale that is stored without loss. */
export function hasTiers(frame: Frame): boolean {
  const { photometricInterpretation: kind, samplesPerPixel, rows, columns } = frame.pixels;
  const grey = samplesPerPixel === 1 && (kind === "MONOCHROME1" || kind === "MONOCHROME2");
  return grey && !isWide(frame.pixels) && !frame.lossy && rows * columns >= PIXELS_MIN;
}

/** Load a frame up to a tier. */
export interface Step {
  readonly imageId: string;
  readonly tier: Tier;
  /** Nothing else is asked for meanwhile: somebody waits for it. */
  readonly alone: boolean;
}

/**
 * What to load in which order, given a stack's frames outward from the one that is looked at.
 *
 * That one whole; then a quarter of each, so that the stack can be scrolled; then a half of each; then all of them.
 */
export function loadingSteps(outward: readonly string[]): readonly Step[] {
  const [current, ...others] = outward;
  if (current === undefined) return [];
  const passes = TIERS.flatMap((tier) => others.map((imageId) => ({ imageId, tier, alone: false })));
  return [{ imageId: current, tier: WHOLE, alone: true }, ...passes];
}
