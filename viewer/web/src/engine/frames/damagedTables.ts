// What is left of a frame when a table that it brings along is damaged (PS3.3 C.11.1, C.11.2.1.1). Pure.

import type { Frame } from "./frame";

/** Without its VOI LUT: shown by its window, else over all its values. */
export function withoutVoiLookup(frame: Frame): Frame {
  return { ...frame, voiLookup: undefined, displayIgnored: "lut" };
}

/**
 * Without its Modality LUT: values are those that are stored.
 *
 * They count nothing that has a unit, and neither the window nor the VOI LUT counts in them.
 */
export function asStored(frame: Frame): Frame {
  return {
    ...frame,
    rescale: { slope: 1, intercept: 0, type: "US", told: false },
    modalityLookup: undefined,
    voiLookup: undefined,
    window: undefined,
    windows: [],
    uptake: undefined,
    displayIgnored: "modalityLut",
  };
}
