// From a stack to its reconstruction, or the plain reason why there is none.

import type { Stack } from "../frames/stacks";
import { Gathering } from "./gather";
import { gridOf, type Refusal } from "./grid";
import { Mpr, type MprState } from "./mpr";
import { emptyVolume, fitsInt16 } from "./volume";

export interface Built {
  readonly mpr: Mpr;
  readonly gathering: Gathering;
  /** MONOCHROME1: low values are bright. */
  readonly isNaturallyInverted: boolean;
}

/** `whyNot` is asked before anything is loaded. */
export function whyNot(stack: Stack | undefined): Refusal | undefined {
  const made = gridOf(stack?.frames ?? []);
  return "refusal" in made ? made.refusal : undefined;
}

/** Begin a reconstruction; its slices come by and by. Stop `gathering` when it is no longer wanted. */
export function build(stack: Stack, before?: MprState): Built | undefined {
  const made = gridOf(stack.frames);
  if ("refusal" in made) return undefined;
  const { frames, grid } = made;
  const [first] = frames;
  const short = fitsInt16(
    frames.map(({ pixels, rescale }) => ({
      bitsStored: pixels.bitsStored,
      signed: pixels.pixelRepresentation === 1,
      slope: rescale.slope,
      intercept: rescale.intercept,
    })),
  );
  const volume = emptyVolume(grid, short);
  const mpr = new Mpr(volume, frames[Math.floor(frames.length / 2)]?.window, before);
  const gathering = new Gathering(frames, volume, () => {
    const { count, here, missing } = gathering.progress.get();
    mpr.noteFilled(here + missing >= count);
  });
  gathering.start();
  return { mpr, gathering, isNaturallyInverted: first?.pixels.photometricInterpretation === "MONOCHROME1" };
}
