// Bulk annotations over a slide: pictures of tiles, made by a worker, put where the slide is.

import { createStore, type Store } from "../../emitter";
import { type Camera, matrixOf } from "../camera";
import type { SlidePoint, TilePlace } from "../slide";
import type { SlideView } from "../slideView";
import { SIDE } from "./bulkTile";
import { bulkCover, bulkOctave, keyOf, sideOf } from "./cover";
import type { Ink, Order, Told } from "./messages";

const PICTURES_MAX = 32;
const IN_FLIGHT_MAX = 3;
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

interface Picture {
  readonly place: TilePlace;
  readonly bitmap: ImageBitmap | undefined;
}

export class BulkLayer {
  readonly hit: Store<BulkHit | undefined> = createStore<BulkHit | undefined>(undefined);
  /** Whether parts of it did not come. */
  readonly failed: Store<boolean> = createStore(false);
  private readonly view: SlideView;
  private readonly canvas = document.createElement("canvas");
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  private readonly pictures = new Map<string, Picture>();
  private readonly asked = new Map<number, TilePlace>();
  private readonly offs: readonly (() => void)[];
  private inks: readonly Ink[] = [];
  private orders = 0;
  /** Orders before this one were of other groups. */
  private since = 0;
  /** What the worker is asked to find, and in which tile. */
  private question: { readonly order: number; readonly place: TilePlace } | undefined;
  private frame = 0;

  constructor(view: SlideView, picked: Store<SlidePoint | undefined>) {
    this.view = view;
    this.canvas.className = "va-bulk";
    this.canvas.ariaHidden = "true";
    view.element.append(this.canvas);
    this.worker.onmessage = ({ data }: MessageEvent<Told>) => this.hear(data);
    this.offs = [view.camera.subscribe(() => this.later()), picked.subscribe(() => this.find(picked.get()))];
  }

  /** Show these groups and no others. */
  show(inks: readonly Ink[]): void {
    this.inks = inks;
    this.since = this.orders;
    this.asked.clear();
    this.clear();
    this.failed.set(false);
    this.hit.set(undefined);
    this.later();
  }

  destroy(): void {
    for (const off of this.offs) off();
    cancelAnimationFrame(this.frame);
    this.worker.terminate();
    this.clear();
    this.canvas.remove();
  }

  private clear(): void {
    for (const { bitmap } of this.pictures.values()) bitmap?.close();
    this.pictures.clear();
  }

  /** Once before the next frame, however often one moves. */
  private later(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.go());
  }

  private go(): void {
    const camera = this.view.camera.get();
    const wanted = this.inks.length === 0 ? [] : bulkCover(this.view.slide, camera);
    this.ask(wanted);
    this.draw(camera, wanted);
  }

  private ask(wanted: readonly TilePlace[]): void {
    const underway = new Set([...this.asked.values()].map(keyOf));
    for (const place of wanted) {
      const key = keyOf(place);
      if (this.asked.size >= IN_FLIGHT_MAX) return;
      if (this.pictures.has(key) || underway.has(key)) continue;
      this.orders += 1;
      this.asked.set(this.orders, place);
      this.send({ kind: "draw", order: this.orders, key, inks: this.inks });
    }
  }

  private hear(told: Told): void {
    if (told.kind === "found") {
      this.tell(told);
      return;
    }
    const place = this.asked.get(told.order);
    this.asked.delete(told.order);
    if (!place || told.order <= this.since) {
      told.bitmap?.close();
      return;
    }
    if (told.failed > 0) this.failed.set(true);
    this.pictures.set(keyOf(place), { place, bitmap: told.bitmap });
    this.later();
  }

  private draw(camera: Camera, wanted: readonly TilePlace[]): void {
    const { canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(camera.width * ratio), Math.round(camera.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    if (!context) return;
    const [a, b, c, d, e, f] = matrixOf(camera);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(ratio * a, ratio * b, ratio * c, ratio * d, ratio * e, ratio * f);
    const here = wanted.flatMap((place) => this.pictures.get(keyOf(place)) ?? []);
    // Until all of this magnification is there, what there is of others stands for it.
    const others = [...this.pictures.values()].filter(({ place }) => place.octave !== bulkOctave(camera.zoom));
    for (const picture of here.length < wanted.length ? [...others, ...here] : here) this.put(context, picture);
    this.outline(context, camera);
    this.forget(here);
    canvas.dataset["bulk"] = here.length === wanted.length ? "there" : "waiting";
    canvas.dataset["pictures"] = String(here.filter(({ bitmap }) => bitmap).length);
  }

  private put(context: CanvasRenderingContext2D, { place, bitmap }: Picture): void {
    if (!bitmap) return;
    const side = sideOf(place.octave);
    context.drawImage(bitmap, place.column * side, place.row * side, side, side);
  }

  /** What was pointed at, once more and thicker. */
  private outline(context: CanvasRenderingContext2D, camera: Camera): void {
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

  /** Keep what is shown, and some of what was. */
  private forget(shown: readonly Picture[]): void {
    for (const [key, picture] of this.pictures) {
      if (this.pictures.size <= PICTURES_MAX) return;
      if (shown.includes(picture)) continue;
      picture.bitmap?.close();
      this.pictures.delete(key);
    }
  }

  private find(point: SlidePoint | undefined): void {
    this.question = undefined;
    if (this.hit.get()) {
      this.hit.set(undefined);
      this.later();
    }
    if (!point || this.inks.length === 0) return;
    const { zoom } = this.view.camera.get();
    const octave = bulkOctave(zoom);
    const side = sideOf(octave);
    const place = { octave, column: Math.floor(point.x / side), row: Math.floor(point.y / side) };
    const scale = 2 ** octave;
    this.orders += 1;
    this.question = { order: this.orders, place };
    this.send({
      kind: "find",
      order: this.orders,
      key: keyOf(place),
      inks: this.inks,
      right: point.x / scale - place.column * SIDE,
      down: point.y / scale - place.row * SIDE,
      reach: REACH_PX / (zoom * scale),
    });
  }

  private tell({ order, group, number, points }: Extract<Told, { kind: "found" }>): void {
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

  private send(order: Order): void {
    this.worker.postMessage(order);
  }
}
