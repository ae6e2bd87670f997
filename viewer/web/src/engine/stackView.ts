// One stack on screen: the port between the room and Cornerstone3D. What it shows is told through stores, so that
// nothing but small texts is redrawn while the mouse moves.

import { cache, Enums, imageLoader, RenderingEngine, type Types, utilities } from "@cornerstonejs/core";
import { Cine } from "./cine";
import { startCornerstone } from "./cornerstone";
import { createStore, type Store } from "./emitter";
import type { Frame } from "./frame";
import { frameStates, isProblem, stateOf } from "./frameStates";
import { addFrames, frameOf, removeFrames } from "./loader";
import { type Length, lengthBetween } from "./measure";
import { outward } from "./outward";
import { Prefetch } from "./prefetch";
import type { ImageRange, Preset } from "./presets";
import { createTools, type PrimaryTool, type Tools } from "./tools";
import { fullWindow, rangeOf, type VoiWindow, windowOf } from "./windowing";

/** What the viewport shows now. `wanted` is where the reader is, `shown` what the canvas holds; they differ while loading. */
export interface StackState {
  readonly count: number;
  readonly wanted: number;
  readonly shown: number | undefined;
  readonly problem: boolean;
}

export interface Presentation {
  readonly window: VoiWindow | undefined;
  readonly inverted: boolean;
  /** Screen pixels per image pixel, 1 is 1:1. */
  readonly scale: number;
}

const ENGINE_ID = "reading-room";
const BACKGROUND: Types.Point3 = [0, 0, 0];
/** Frames that are not there yet are asked for once the reader pauses this long, ms. */
const SETTLE_MS = 30;
/** Trackpads send many small wheel steps; this many pixels are one slice. */
const WHEEL_PIXELS_PER_SLICE = 50;

let viewsMade = 0;

export class StackView {
  readonly stack: Store<StackState> = createStore<StackState>({
    count: 0,
    wanted: 0,
    shown: undefined,
    problem: false,
  });
  readonly presentation: Store<Presentation> = createStore<Presentation>({
    window: undefined,
    inverted: false,
    scale: 1,
  });
  readonly playing: Store<boolean> = createStore(false);

  private readonly element: HTMLDivElement;
  private readonly engine: RenderingEngine;
  private readonly viewportId: string;
  private readonly tools: Tools;
  private readonly prefetch: Prefetch;
  private readonly cine: Cine;
  private readonly resize: ResizeObserver;
  private readonly undo: (() => void)[] = [];
  private frames: readonly Frame[] = [];
  private direction: 1 | -1 = 1;
  private settle: ReturnType<typeof setTimeout> | undefined;
  private wheelPixels = 0;

  constructor(element: HTMLDivElement, describeLength: (length: Length) => string) {
    const backend = startCornerstone();
    viewsMade += 1;
    this.element = element;
    this.viewportId = `stack-${viewsMade}`;
    this.engine = new RenderingEngine(`${ENGINE_ID}-${viewsMade}`);
    this.engine.enableElement({
      viewportId: this.viewportId,
      type: Enums.ViewportType.STACK,
      element,
      defaultOptions: { background: BACKGROUND },
    });
    element.dataset["backend"] = backend;
    this.tools = createTools(this.viewportId, this.engine.id, (imageId, [from, to]) => {
      const length = lengthOn(imageId, from, to);
      return length ? describeLength(length) : "";
    });
    this.prefetch = new Prefetch({
      load: (imageId) => imageLoader.loadAndCacheImage(imageId),
      isLoaded: (imageId) => stateOf(imageId) === "ready",
      hasRoom: () => cache.isCacheable(this.frameBytes()) && cache.getCacheSize() < cache.getMaxCacheSize() * 0.9,
    });
    this.cine = new Cine(
      {
        count: () => this.frames.length,
        index: () => this.stack.get().wanted,
        isReady: (index) => stateOf(this.frames[index]?.imageId ?? "") === "ready",
        show: (index) => this.goTo(index),
      },
      { request: (callback) => requestAnimationFrame(callback), cancel: (handle) => cancelAnimationFrame(handle) },
    );
    this.resize = new ResizeObserver(() => this.engine.resize(true, true));
    this.resize.observe(element);
    this.listen();
  }

  /** Show another stack, in reading order, from a slice on. */
  async show(frames: readonly Frame[], from = 0): Promise<void> {
    this.stop();
    const old = this.frames;
    this.frames = frames;
    addFrames(frames);
    const kept = new Set(frames.map((frame) => frame.imageId));
    removeFrames(old.map((frame) => frame.imageId).filter((imageId) => !kept.has(imageId)));
    if (frames.length === 0) return;
    const wanted = Math.min(from, frames.length - 1);
    this.stack.set({ count: frames.length, wanted, shown: undefined, problem: false });
    this.prefetchFrom(wanted);
    await this.viewport.setStack(this.imageIds(), wanted).catch(() => undefined);
    this.viewport.render();
    this.readPresentation();
  }

  /** More slices of the same stack have come: keep the slice, window and zoom that the reader has. */
  async grow(frames: readonly Frame[]): Promise<void> {
    const current = this.frames[this.stack.get().wanted]?.imageId;
    const index = Math.max(
      frames.findIndex((frame) => frame.imageId === current),
      0,
    );
    const { window, inverted } = this.presentation.get();
    const place = this.viewport.getViewPresentation();
    await this.show(frames, index);
    this.viewport.setViewPresentation(place);
    this.viewport.setProperties({ ...(window ? { voiRange: rangeOf(window) } : {}), invert: inverted });
    this.viewport.render();
  }

  goTo(index: number): void {
    const { wanted, count } = this.stack.get();
    const next = Math.min(Math.max(Math.round(index), 0), count - 1);
    if (next === wanted || count === 0) return;
    this.direction = next > wanted ? 1 : -1;
    this.stack.set({ ...this.stack.get(), wanted: next, problem: false });
    clearTimeout(this.settle);
    const ready = stateOf(this.frames[next]?.imageId ?? "") === "ready";
    if (ready) this.display(next);
    else this.settle = setTimeout(() => this.display(next), SETTLE_MS);
  }

  step(by: number): void {
    this.goTo(this.stack.get().wanted + by);
  }

  /** Ask again for what could not be had. */
  retry(): void {
    this.prefetch.retry();
    this.display(this.stack.get().wanted);
  }

  setWindow(window: VoiWindow): void {
    this.viewport.setProperties({ voiRange: rangeOf(window) });
    this.viewport.render();
  }

  applyPreset(preset: Preset): void {
    const image = this.imageRange();
    if (image) this.setWindow(preset.window(image));
  }

  toggleInvert(): void {
    this.viewport.setProperties({ invert: !this.presentation.get().inverted });
    this.viewport.render();
    this.readPresentation();
  }

  fit(): void {
    this.viewport.resetCamera();
    this.viewport.render();
    this.readPresentation();
  }

  /** One image pixel on one screen pixel. */
  oneToOne(): void {
    this.zoomBy(1 / this.scale());
  }

  zoomBy(factor: number): void {
    this.viewport.setZoom(this.viewport.getZoom() * factor);
    this.viewport.render();
    this.readPresentation();
  }

  /** As it was opened: own window, not inverted, fitted. */
  reset(): void {
    this.viewport.resetProperties();
    const own = this.imageRange()?.own;
    if (own) this.setWindow(own);
    this.fit();
  }

  choose(tool: PrimaryTool): void {
    this.tools.choose(tool);
  }

  setRate(framesPerSecond: number): void {
    this.cine.setRate(framesPerSecond);
  }

  togglePlay(): void {
    if (this.cine.playing) this.stop();
    else {
      this.cine.play();
      this.playing.set(this.cine.playing);
    }
  }

  stop(): void {
    this.cine.stop();
    this.playing.set(false);
  }

  currentFrame(): Frame | undefined {
    return this.frames[this.stack.get().wanted];
  }

  destroy(): void {
    this.stop();
    clearTimeout(this.settle);
    this.prefetch.stop();
    this.resize.disconnect();
    for (const undo of this.undo) undo();
    this.tools.destroy();
    this.engine.destroy();
    removeFrames(this.imageIds());
  }

  private get viewport(): Types.IStackViewport {
    return this.engine.getViewport(this.viewportId) as Types.IStackViewport;
  }

  private imageIds(): string[] {
    return this.frames.map((frame) => frame.imageId);
  }

  private frameBytes(): number {
    const pixels = this.frames[0]?.pixels;
    return pixels ? pixels.rows * pixels.columns * pixels.samplesPerPixel * Math.ceil(pixels.bitsAllocated / 8) * 2 : 0;
  }

  private display(index: number): void {
    // The promise of an overtaken slice never settles, so nothing may wait for it.
    this.viewport.setImageIdIndex(index).catch(() => this.noteProblem());
    this.prefetchFrom(index);
  }

  private prefetchFrom(index: number): void {
    const order = outward(index, this.frames.length, this.direction);
    this.prefetch.follow(order.flatMap((at) => this.frames[at]?.imageId ?? []));
  }

  private imageRange(): ImageRange | undefined {
    const image = this.viewport.getCornerstoneImage();
    const frame = image && frameOf(image.imageId);
    if (!image || !frame) return undefined;
    if (image.color) return { own: { center: 128, width: 256 }, lowest: 0, highest: 255 };
    // Values are modality values already, unless the renderer kept stored ones beside slope and intercept.
    const scaled = image.preScale?.scaled === true;
    const modality = (stored: number) => (scaled ? stored : stored * frame.rescale.slope + frame.rescale.intercept);
    const [lowest, highest] = [modality(image.minPixelValue), modality(image.maxPixelValue)];
    return { own: frame.window ?? fullWindow(lowest, highest), lowest, highest };
  }

  private scale(): number {
    const origin = this.viewport.canvasToWorld([0, 0]);
    const right = this.viewport.canvasToWorld([100, 0]);
    const millimetres = Math.hypot(right[0] - origin[0], right[1] - origin[1], right[2] - origin[2]);
    const spacing = this.currentFrame()?.spacing;
    const pixelMm = spacing?.calibration === "patient" ? spacing.columnMm : 1;
    return millimetres > 0 ? (100 * pixelMm * window.devicePixelRatio) / millimetres : 1;
  }

  private readPresentation(): void {
    // The renderer tells of its camera before it has an image, and cannot say where anything is.
    if (!this.viewport.getCornerstoneImage()) return;
    const { voiRange, invert } = this.viewport.getProperties();
    this.presentation.set({
      window: voiRange ? windowOf(voiRange) : undefined,
      inverted: invert ?? false,
      scale: this.scale(),
    });
  }

  private noteProblem(): void {
    const state = stateOf(this.currentFrame()?.imageId ?? "");
    this.stack.set({ ...this.stack.get(), problem: isProblem(state) });
  }

  private readonly onNewImage = (event: Event): void => {
    const { imageId } = (event as CustomEvent<{ imageId: string }>).detail;
    const shown = this.frames.findIndex((frame) => frame.imageId === imageId);
    const { wanted } = this.stack.get();
    // The scroll tool moves the viewport itself; the reader then is where it went.
    const now = this.viewport.getCurrentImageIdIndex();
    this.stack.set({ ...this.stack.get(), wanted: now === shown ? shown : wanted, shown, problem: false });
    if (now !== wanted) this.prefetchFrom(now);
  };

  private readonly onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    if (event.ctrlKey) {
      this.zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
      return;
    }
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : Math.sign(event.deltaY) * 100;
    // A mouse's notch is one slice whatever its size; a trackpad's small steps add up.
    this.wheelPixels =
      Math.abs(pixels) >= WHEEL_PIXELS_PER_SLICE
        ? Math.sign(pixels) * WHEEL_PIXELS_PER_SLICE
        : this.wheelPixels + pixels;
    const slices = Math.trunc(this.wheelPixels / WHEEL_PIXELS_PER_SLICE);
    this.wheelPixels -= slices * WHEEL_PIXELS_PER_SLICE;
    if (slices !== 0) this.step(slices);
  };

  private listen(): void {
    const on = (name: string, listener: (event: Event) => void, options?: AddEventListenerOptions) => {
      this.element.addEventListener(name, listener, options);
      this.undo.push(() => this.element.removeEventListener(name, listener, options));
    };
    on(Enums.Events.STACK_NEW_IMAGE, this.onNewImage);
    on(Enums.Events.VOI_MODIFIED, () => this.readPresentation());
    on(Enums.Events.CAMERA_MODIFIED, () => this.readPresentation());
    on("wheel", (event) => this.onWheel(event as WheelEvent), { passive: false });
    on("contextmenu", (event) => event.preventDefault());
    this.undo.push(frameStates.subscribe(() => this.noteProblem()));
    const back = () => this.retry();
    window.addEventListener("online", back);
    this.undo.push(() => window.removeEventListener("online", back));
  }
}

/** The length between two places given in the renderer's world. */
function lengthOn(imageId: string, from: number[], to: number[]): Length | undefined {
  const frame = frameOf(imageId);
  const ends = [from, to].map((end) => utilities.worldToImageCoords(imageId, end as Types.Point3));
  const [a, b] = ends;
  if (!frame || !a || !b) return undefined;
  const point = (place: Types.Point2) => ({ column: place[0], row: place[1] });
  return lengthBetween(point(a), point(b), frame.spacing, frame.regions);
}
