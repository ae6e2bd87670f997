// From a stack to its reconstruction, or the plain reason why there is none.

import type { Frame } from "../frames/frame";
import { NO_WINDOWS, ownWindows } from "../frames/imageWindows";
import { presetsOf } from "../frames/presets";
import type { Stack } from "../frames/stacks";
import { frameOf, voiLookupOf } from "../loading/loader";
import { outward } from "../loading/outward";
import { unitOf } from "../marks/marks";
import { Gathering } from "./gather";
import { gridOf, type Refusal } from "./grid";
import { type Brought, Mpr, type MprState } from "./mpr";
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

const NOTHING: Brought = {
  window: undefined,
  windows: NO_WINDOWS,
  presets: [],
  lookup: undefined,
  ignored: undefined,
  unit: "",
};

/** What a slice brings along to be shown by; its tables are known once it is loaded. */
function broughtBy(slice: Frame | undefined): Brought {
  const frame = slice && (frameOf(slice.imageId) ?? slice);
  if (!frame) return NOTHING;
  const { window, displayIgnored: ignored } = frame;
  const lookup = voiLookupOf(frame.imageId);
  const windows = ownWindows(frame.windows, window, lookup !== undefined);
  const presets = presetsOf(frame.modality, frame.rescale.type);
  return { window, windows, presets, lookup, ignored, unit: unitOf(frame) };
}

/** Begin a reconstruction; its slices come by and by. Stop `gathering` when it is no longer wanted. */
export function build(stack: Stack, before?: MprState): Built | undefined {
  const made = gridOf(stack.frames);
  if ("refusal" in made) return undefined;
  const { frames, grid } = made;
  const [first] = frames;
  const middle = Math.floor(frames.length / 2);
  // What a Modality LUT makes of values is not known before it is here.
  const isPlain = frames.every(({ modalityLookup }) => !modalityLookup);
  const stored = frames.map(({ pixels, rescale }) => ({
    bitsStored: pixels.bitsStored,
    signed: pixels.pixelRepresentation === 1,
    slope: rescale.slope,
    intercept: rescale.intercept,
  }));
  const volume = emptyVolume(grid, isPlain && fitsInt16(stored));
  const mpr = new Mpr(volume, broughtBy(frames[middle]), before);
  const fromMiddle = outward(middle, frames.length);
  let spokesman: number | undefined;
  const gathering = new Gathering(frames, volume, () => {
    // What is not in the volume says nothing of how it is shown.
    const nearest = fromMiddle.find((slice) => volume.filled[slice]);
    if (nearest !== undefined && nearest !== spokesman) mpr.bring(broughtBy(frames[nearest]));
    spokesman = nearest;
    const { count, here, missing } = gathering.progress.get();
    mpr.noteFilled(here + missing >= count);
  });
  gathering.start();
  return { mpr, gathering, isNaturallyInverted: first?.pixels.photometricInterpretation === "MONOCHROME1" };
}
