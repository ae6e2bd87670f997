// Bulk annotations over a slide, and what was pointed at of them.

import { createStore, type Store } from "../../emitter";
import type { Camera } from "../camera";
import { keyOf, SIDE, sideOf, tileOctave } from "../cover";
import type { SlidePoint, TilePlace } from "../slide";
import type { SlideView } from "../slideView";
import { TileLayer } from "../tileLayer";
import type { FindOrder, Found, Ink, Told } from "./messages";

const REACH_PX = 6;
const CHOSEN_PX = 3;

/** What was pointed at. */
export interface BulkHit {
  readonly group: number;
  /** Of the annotation in its group; undefined for a dot, which may stand for many. */
  readonly number: number | undefined;
  /** In pixels of the finest octave. */
  readonly points: readonly SlidePoint[];
}

export class BulkLayer extends TileLayer<Ink> {
  readonly hit: Store<BulkHit | undefined> = createStore<BulkHit | undefined>(undefined);
  private readonly unpicked: () => void;
  /** What the worker is asked to find, and in which tile. */
  private question: { readonly order: number; readonly place: TilePlace } | undefined;

  constructor(view: SlideView, picked: Store<SlidePoint | undefined>) {
    super(view, () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }), "va-bulk");
    this.unpicked = picked.subscribe(() => this.find(picked.get()));
  }

  override show(inks: readonly Ink[]): void {
    this.hit.set(undefined);
    super.show(inks);
  }

  override destroy(): void {
    this.unpicked();
    super.destroy();
  }

  protected override hear(told: Told): void {
    if (told.kind === "found") this.tell(told);
    else super.hear(told);
  }

  /** What was pointed at, once more and thicker. */
  protected override over(context: CanvasRenderingContext2D, camera: Camera): void {
    const hit = this.hit.get();
    const [first, ...others] = hit?.points ?? [];
    if (!first) return;
    context.lineWidth = CHOSEN_PX / camera.zoom;
    context.strokeStyle = "#ffcb66";
    context.beginPath();
    if (others.length === 0) context.arc(first.x, first.y, REACH_PX / camera.zoom, 0, 2 * Math.PI);
    else context.moveTo(first.x, first.y);
    for (const { x, y } of others) context.lineTo(x, y);
    if (others.length > 0) context.closePath();
    context.stroke();
  }

  private find(point: SlidePoint | undefined): void {
    this.question = undefined;
    if (this.hit.get()) {
      this.hit.set(undefined);
      this.later();
    }
    if (!point || this.inks.length === 0) return;
    const { zoom } = this.view.camera.get();
    const octave = tileOctave(zoom);
    const side = sideOf(octave);
    const place = { octave, column: Math.floor(point.x / side), row: Math.floor(point.y / side) };
    const scale = 2 ** octave;
    const order = this.send<FindOrder>((number) => ({
      kind: "find",
      order: number,
      key: keyOf(place),
      inks: this.inks,
      right: point.x / scale - place.column * SIDE,
      down: point.y / scale - place.row * SIDE,
      reach: REACH_PX / (zoom * scale),
    }));
    this.question = { order, place };
  }

  private tell({ order, group, number, points }: Found): void {
    if (order !== this.question?.order || group === undefined || !points) return;
    const { place } = this.question;
    const scale = 2 ** place.octave;
    const outline = Array.from({ length: points.length / 2 }, (_, index) => ({
      x: ((points[2 * index] ?? 0) + place.column * SIDE) * scale,
      y: ((points[2 * index + 1] ?? 0) + place.row * SIDE) * scale,
    }));
    this.hit.set({ group, number, points: outline });
    this.later();
  }
}
