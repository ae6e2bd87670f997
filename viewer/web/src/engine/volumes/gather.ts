// Brings a stack's slices into a volume: whole ones only, the middle first, through the loader that the panes use too.

import { createStore, type Store } from "../emitter";
import type { Frame } from "../frames/frame";
import { addFrames, frameOf, reach, removeFrames } from "../loading/loader";
import { outward } from "../loading/outward";
import { WHOLE } from "../loading/tiers";
import { startCornerstone } from "../stack/cornerstone";
import { modalityValuesOf } from "../stack/stackPlaces";
import { fill, takeOut, type Volume } from "./volume";

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
  private readonly onSlice: () => void;
  /**
   * Slices that are in the volume with their stored values, as a damaged Modality LUT leaves them. Stored values and
   * modality values are no one volume, and modality values go first: with the first slice that has them these are taken
   * out and no others let in, so that the volume is the same whatever comes first.
   */
  private stored: number[] = [];
  private hasModalityValues = false;
  private stopped = false;

  /** `frames` in the volume's order; `onSlice` hears whenever one came, or could not be had. */
  constructor(frames: readonly Frame[], volume: Volume, onSlice: () => void) {
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
      this.onSlice();
    }
  }

  private async take(slice: number): Promise<boolean> {
    const frame = this.frames[slice];
    if (!frame) return false;
    try {
      await reach(frame.imageId, WHOLE, () => !this.stopped);
      const read = frameOf(frame.imageId) ?? frame;
      const isStored = read.displayIgnored === "modalityLut";
      if (isStored && this.hasModalityValues) return false;
      const values = modalityValuesOf(frame.imageId, read)?.values;
      if (!values) return false;
      if (isStored) this.stored.push(slice);
      else this.turnToModalityValues();
      fill(this.volume, slice, values);
      return true;
    } catch {
      return false;
    }
  }

  private turnToModalityValues(): void {
    this.hasModalityValues = true;
    for (const slice of this.stored) takeOut(this.volume, slice);
    const { count, here, missing } = this.progress.get();
    this.progress.set({ count, here: here - this.stored.length, missing: missing + this.stored.length });
    this.stored = [];
  }
}
