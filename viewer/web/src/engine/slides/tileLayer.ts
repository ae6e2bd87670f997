// What others found, over a slide: pictures of tiles of one magnification, made by a worker, put where the slide is.

import { createStore, type Store } from "../emitter";
import { type Camera, matrixOf } from "./camera";
import { keyOf, sideOf, tileCover, tileOctave } from "./cover";
import type { TilePlace } from "./slide";
import type { SlideView } from "./slideView";
import type { DrawnTile, DrawOrder } from "./tileMessages";

const PICTURES_MAX = 32;
const IN_FLIGHT_MAX = 3;
/** After which a tile that the node makes ready is asked for again. */
const BUSY_MS = 200;

interface Picture {
  readonly order: number;
  readonly place: TilePlace;
  readonly bitmap: ImageBitmap | undefined;
}

/** `Ink`: what is to be drawn, and how. */
export abstract class TileLayer<Ink> {
  /** Whether parts of it did not come. */
  readonly failed: Store<boolean> = createStore(false);
  /** Whether parts of what one looks at are being made ready. */
  readonly busy: Store<boolean> = createStore(false);
  protected readonly view: SlideView;
  protected inks: readonly Ink[] = [];
  private readonly canvas = document.createElement("canvas");
  private readonly start: () => Worker;
  private worker: Worker;
  private isLost = false;
  private readonly pictures = new Map<string, Picture>();
  /** What the worker has not answered, of other inks too: it is asked for no more than it gets done. */
  private readonly asked = new Map<number, TilePlace>();
  /** Tiles that the node makes ready; true: it was asked just now. */
  private readonly making = new Map<string, boolean>();
  private readonly off: () => void;
  private orders = 0;
  /** Orders before this one were of other inks. */
  private since = 0;
  private frame = 0;

  constructor(view: SlideView, start: () => Worker, className: string) {
    this.view = view;
    this.start = start;
    this.worker = this.started();
    this.canvas.className = className;
    this.canvas.ariaHidden = "true";
    view.element.append(this.canvas);
    view.over.add(this);
    this.off = view.camera.subscribe(() => this.later());
  }

  /** Show these and no others; what is there stands for them until they are drawn. */
  show(inks: readonly Ink[]): void {
    this.inks = inks;
    if (this.isLost) this.worker = this.started();
    this.since = this.orders;
    this.making.clear();
    this.failed.set(false);
    this.later();
  }

  /** Whether all of it that one looks at has come. */
  isWhole(): boolean {
    return !this.failed.get() && this.wanted().every((place) => this.isThere(place));
  }

  destroy(): void {
    this.off();
    this.view.over.delete(this);
    cancelAnimationFrame(this.frame);
    this.worker.terminate();
    this.since = Number.POSITIVE_INFINITY;
    this.asked.clear();
    for (const { bitmap } of this.pictures.values()) bitmap?.close();
    this.pictures.clear();
    this.canvas.remove();
  }

  /** Draw over the tiles, in pixels of the slide. */
  protected abstract over(context: CanvasRenderingContext2D, camera: Camera): void;

  /** Send the worker an order with a number of its own. */
  protected send<Order>(orderOf: (order: number) => Order): number {
    this.orders += 1;
    this.worker.postMessage(orderOf(this.orders));
    return this.orders;
  }

  /** Once before the next frame, however often one moves. */
  protected later(): void {
    this.canvas.dataset["drawn"] = "waiting";
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.go());
  }

  protected hear({ order, bitmap, failed, busy }: DrawnTile): void {
    const place = this.asked.get(order);
    this.asked.delete(order);
    if (!place || order <= this.since) {
      bitmap?.close();
      if (place) this.later();
      return;
    }
    const key = keyOf(place);
    if (busy) {
      this.making.set(key, true);
      setTimeout(() => {
        if (order <= this.since) return;
        this.making.set(key, false);
        this.later();
      }, BUSY_MS);
    } else {
      if (failed > 0) this.failed.set(true);
      this.making.delete(key);
      this.pictures.get(key)?.bitmap?.close();
      this.pictures.set(key, { order, place, bitmap });
    }
    this.later();
  }

  private started(): Worker {
    const worker = this.start();
    worker.onmessage = ({ data }: MessageEvent<DrawnTile>) => this.hear(data);
    worker.onerror = () => this.lose();
    this.isLost = false;
    return worker;
  }

  /** Who could not be started answers nothing: what it was asked did not come, and another try has another worker. */
  private lose(): void {
    this.worker.terminate();
    this.isLost = true;
    this.since = this.orders;
    this.asked.clear();
    this.making.clear();
    this.failed.set(true);
    this.later();
  }

  private go(): void {
    const camera = this.view.camera.get();
    const wanted = this.wanted();
    this.ask(wanted);
    this.busy.set(wanted.some((place) => this.making.has(keyOf(place))));
    this.draw(camera, wanted);
  }

  private wanted(): readonly TilePlace[] {
    return this.inks.length === 0 ? [] : tileCover(this.view.slide, this.view.camera.get());
  }

  private ask(wanted: readonly TilePlace[]): void {
    if (this.isLost) return;
    const underway = new Set([...this.asked].flatMap(([order, place]) => (order > this.since ? keyOf(place) : [])));
    for (const place of wanted) {
      const key = keyOf(place);
      if (this.asked.size >= IN_FLIGHT_MAX) return;
      if (this.isThere(place) || underway.has(key) || this.making.get(key)) continue;
      const order = this.send<DrawOrder<Ink>>((number) => ({ kind: "draw", order: number, key, inks: this.inks }));
      this.asked.set(order, place);
    }
  }

  private isThere(place: TilePlace): boolean {
    return (this.pictures.get(keyOf(place))?.order ?? 0) > this.since;
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
    const octave = tileOctave(camera.zoom);
    const others = [...this.pictures.values()].filter(({ place }) => place.octave !== octave && this.isThere(place));
    const stand = wanted.length > 0 && here.length < wanted.length ? others : [];
    for (const picture of [...stand.sort(byOctave), ...here]) {
      // Two pictures of one place would be more opaque than either, and one may have what the other has not.
      if (stand.length > 0) clear(context, picture);
      put(context, picture);
    }
    this.over(context, camera);
    this.forget(here);
    canvas.dataset["drawn"] = wanted.every((place) => this.isThere(place)) ? "there" : "waiting";
    canvas.dataset["pictures"] = String(here.filter(({ bitmap }) => bitmap).length);
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
}

/** The coarsest first. */
function byOctave({ place: one }: Picture, { place: other }: Picture): number {
  return other.octave - one.octave;
}

function clear(context: CanvasRenderingContext2D, { place }: Picture): void {
  const side = sideOf(place.octave);
  context.clearRect(place.column * side, place.row * side, side, side);
}

function put(context: CanvasRenderingContext2D, { place, bitmap }: Picture): void {
  if (!bitmap) return;
  const side = sideOf(place.octave);
  context.drawImage(bitmap, place.column * side, place.row * side, side, side);
}
