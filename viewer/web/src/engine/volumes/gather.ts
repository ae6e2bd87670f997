// Brings a stack's slices into a volume: whole ones only, the middle first, through the loader that the panes use too.

import { createStore, type Store } from "../emitter";
import type { Frame } from "../frames/frame";
import { addFrames, frameOf, reach, removeFrames } from "../loading/loader";
import { outward } from "../loading/outward";
import { WHOLE } from "../loading/tiers";
import { startCornerstone } from "../stack/cornerstone";
import { modalityValuesOf } from "../stack/stackPlaces";
import { fill, type Volume } from "./volume";

export interface Gathered {
  readonly count: number;
  readonly here: number;
  /** Slices that could not be had. */
  readonly missing: number;
}

/** Slices asked for at once. */
const PARALLEL = 4;

export class Gathering {
  readonly progress: Store<Gathered>;
  private readonly frames: readonly Frame[];
  private readonly volume: Volume;
  private readonly queue: number[];
  private readonly onSlice: (slice: number) => void;
  /** Whether samples are stored values, as a damaged Modality LUT leaves them; told by the first slice that is here. */
  private isStored: boolean | undefined;
  private stopped = false;

  /** `frames` in the volume's order; `onSlice` hears of each that came. */
  constructor(frames: readonly Frame[], volume: Volume, onSlice: (slice: number) => void) {
    this.frames = frames;
    this.volume = volume;
    this.onSlice = onSlice;
    this.queue = [...outward(Math.floor(frames.length / 2), frames.length)];
    this.progress = createStore<Gathered>({ count: frames.length, here: 0, missing: 0 });
    startCornerstone();
    addFrames(this, frames);
  }

  start(): void {
    for (let at = 0; at < PARALLEL; at += 1) this.next().catch(() => undefined);
  }

  stop(): void {
    this.stopped = true;
    removeFrames(
      this,
      this.frames.map((frame) => frame.imageId),
    );
  }

  private async next(): Promise<void> {
    for (let slice = this.queue.shift(); slice !== undefined && !this.stopped; slice = this.queue.shift()) {
      const got = await this.take(slice);
      if (this.stopped) return;
      const { count, here, missing } = this.progress.get();
      this.progress.set(got ? { count, here: here + 1, missing } : { count, here, missing: missing + 1 });
      this.onSlice(slice);
    }
  }

  private async take(slice: number): Promise<boolean> {
    const frame = this.frames[slice];
    if (!frame) return false;
    try {
      await reach(frame.imageId, WHOLE, () => !this.stopped);
      const read = frameOf(frame.imageId) ?? frame;
      // Stored values and modality values are no one volume.
      const isStored = read.displayIgnored === "modalityLut";
      this.isStored ??= isStored;
      if (isStored !== this.isStored) return false;
      const values = modalityValuesOf(frame.imageId, read)?.values;
      if (values) fill(this.volume, slice, values);
      return values !== undefined;
    } catch {
      return false;
    }
  }
}
