// One reconstruction: a volume, the point that all planes go through, and how they are shown. Its pictures listen.

import { createStore, type Store } from "../emitter";
import { rangeOfLookup } from "../frames/curve";
import type { Frame } from "../frames/frame";
import { dot, plus, times, type Vector } from "../frames/geometry";
import { type OwnWindows, windowAfter } from "../frames/imageWindows";
import type { ImageRange, Preset } from "../frames/presets";
import { fullWindow, type VoiWindow, windowOf } from "../frames/windowing";
import type { Slab } from "./cut";
import type { ShownBy } from "./paint";
import { heldWithin, middleOf, type PlaneName, type Planes, stepThrough, throughOf, UPRIGHT, withTurn } from "./planes";
import { type Volume, valueAt } from "./volume";

/** What the images bring along to be shown by. */
export interface Brought {
  readonly window: VoiWindow | undefined;
  readonly windows: OwnWindows;
  /** Those of what values count. */
  readonly presets: readonly Preset[];
  readonly lookup: ShownBy["lookup"];
  readonly ignored: Frame["displayIgnored"];
  /** What values count; empty: nobody says. */
  readonly unit: string;
}

export interface MprState extends ShownBy {
  /** Where the planes cross, millimetres in the patient. */
  readonly point: Vector;
  readonly planes: Planes;
  readonly slab: Slab;
  /** Shown by what the images bring along, or by all their values: the reader chose no window. */
  readonly own: boolean;
  /** Turned round by the reader. */
  readonly inverted: boolean;
}

export const SLAB_MM_MAX = 100;
const THIN: Slab = { mode: "highest", thicknessMm: 0 };

export class Mpr {
  readonly volume: Volume;
  readonly state: Store<MprState>;
  /** Raised by one whenever samples came. */
  readonly filled: Store<number> = createStore(0);
  readonly brought: Store<Brought>;

  /** `brought` as it is known before an image is here; `before` is how a smaller volume of the same stack was shown. */
  constructor(volume: Volume, brought: Brought, before?: MprState) {
    this.volume = volume;
    this.brought = createStore(brought);
    this.state = createStore<MprState>(before ?? this.opened());
  }

  moveTo(point: Vector): void {
    this.change({ point: heldWithin(this.volume.grid, point) });
  }

  /** Move through a plane by so many steps. */
  step(plane: PlaneName, steps: number): void {
    const { point, planes } = this.state.get();
    const mm = stepThrough(this.volume.grid, planes[plane]) * steps;
    this.moveTo(plus(point, times(throughOf(planes[plane]), mm)));
  }

  /** Turn the planes that cross the one that is looked at. */
  turn(seen: PlaneName, degrees: number): void {
    this.change({ planes: withTurn(this.state.get().planes, seen, degrees) });
  }

  setSlab(slab: Partial<Slab>): void {
    const next = { ...this.state.get().slab, ...slab };
    this.change({ slab: { ...next, thicknessMm: Math.min(Math.max(next.thicknessMm, 0), SLAB_MM_MAX) } });
  }

  setWindow(window: VoiWindow): void {
    this.change({ window, lookup: undefined, own: false });
  }

  applyPreset(preset: Preset): void {
    if (preset.name === "own") this.showOwn();
    else this.setWindow(preset.window(this.imageRange()));
  }

  showOwn(): void {
    this.change(this.shownByOwn());
  }

  /** Show the next window that the images bring along, and after the last what they are opened with. */
  nextWindow(): void {
    const { window, own } = this.state.get();
    const next = windowAfter(this.brought.get().windows, window, own);
    if (next) this.setWindow(next.window);
    else this.showOwn();
  }

  /** An image is here with its tables. */
  bring(brought: Brought): void {
    this.brought.set(brought);
    if (this.state.get().own) this.change(this.shownByOwn());
  }

  toggleInvert(): void {
    this.change({ inverted: !this.state.get().inverted });
  }

  /** As it was opened: upright, thin, own window. */
  reset(): void {
    this.state.set(this.opened());
  }

  /** Samples came; images without a window of their own are shown over all their values. */
  noteFilled(complete: boolean): void {
    if (complete && !this.ownWindow() && this.state.get().own) this.change(this.shownByOwn());
    this.filled.set(this.filled.get() + 1);
  }

  /** Whether the planes are still those of the body. */
  isUpright(): boolean {
    return this.state.get().planes === UPRIGHT;
  }

  /** The stored value at the point; undefined outside. */
  value(): number | undefined {
    return valueAt(this.volume, this.state.get().point);
  }

  /** How far the point is from the middle in a plane's line of sight, millimetres. */
  depth(plane: PlaneName): number {
    const { point, planes } = this.state.get();
    return dot(throughOf(planes[plane]), point);
  }

  private opened(): MprState {
    return { point: middleOf(this.volume.grid), planes: UPRIGHT, slab: THIN, ...this.shownByOwn(), inverted: false };
  }

  private shownByOwn(): ShownBy & { readonly own: true } {
    const window = this.ownWindow() ?? this.imageRange().own;
    return { window, lookup: this.brought.get().lookup, own: true };
  }

  /** That of the images, or what their table spans. */
  private ownWindow(): VoiWindow | undefined {
    const { window, lookup } = this.brought.get();
    return lookup ? windowOf(rangeOfLookup(lookup)) : window;
  }

  private change(part: Partial<MprState>): void {
    this.state.set({ ...this.state.get(), ...part });
  }

  private imageRange(): ImageRange {
    let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const { values, grid, filled } = this.volume;
    const samples = grid.size[0] * grid.size[1];
    for (let slice = 0; slice < filled.length; slice += 1) {
      if (!filled[slice]) continue;
      for (let at = slice * samples; at < (slice + 1) * samples; at += 1) {
        const value = values[at] as number;
        if (value < lowest) lowest = value;
        if (value > highest) highest = value;
      }
    }
    if (lowest > highest) [lowest, highest] = [0, 255];
    return { own: this.ownWindow() ?? fullWindow(lowest, highest), lowest, highest };
  }
}
