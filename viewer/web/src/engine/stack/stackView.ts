// One stack on screen: the port between the room and Cornerstone3D. What it shows is told through stores, so that
// nothing but small texts is redrawn while the mouse moves.

import { cache, Enums, RenderingEngine, type Types } from "@cornerstonejs/core";
import { createStore, type Store } from "../emitter";
import type { Frame } from "../frames/frame";
import type { ImagePoint, Vector } from "../frames/geometry";
import { stateOf, tierOf } from "../loading/frameStates";
import { addFrames, frameOf, isWhole, onSharper, reach, removeFrames } from "../loading/loader";
import { outward } from "../loading/outward";
import { Prefetch } from "../loading/prefetch";
import { loadingSteps, WHOLE } from "../loading/tiers";
import type { MarkReading } from "../marks/marks";
import { onSized } from "../sized";
import { Cine } from "./cine";
import { startCornerstone } from "./cornerstone";
import { growStack, hideMarksUntilShown, hideVoiLutFunction } from "./internals";
import { Look } from "./look";
import { holdPresses } from "./patience";
import { elementAt, patientAt, readingOn, worldOf } from "./stackPlaces";
import { createTools, measures, type PrimaryTool, type Tools } from "./tools";
import { turn } from "./wheel";

/** What the viewport shows now. `wanted` is where the reader is, `shown` what the canvas holds; they differ while loading. */
export interface StackState {
  readonly count: number;
  readonly wanted: number;
  readonly shown: number | undefined;
}

/** How marks speak to the reader, in the reader's language. */
export interface MarkWords {
  readonly describe: (reading: MarkReading) => readonly string[];
  /** Ask for the text of an arrow that says `current`; `done` hears it, nothing when there shall be none. */
  readonly ask: (current: string, done: (text: string) => void) => void;
}

const BACKGROUND: Types.Point3 = [0, 0, 0];
/** Frames that are not there yet are asked for once the reader pauses this long, ms. */
const SETTLE_MS = 30;
/** Prefetching stops here, so that the cache never drops what the reader is looking at. */
const CACHE_SHARE_MAX = 0.9;
const WHEEL_ZOOM = 1.1;

let viewsMade = 0;

export class StackView {
  readonly stack: Store<StackState> = createStore<StackState>({ count: 0, wanted: 0, shown: undefined });
  readonly playing: Store<boolean> = createStore(false);
  /** A measurement was wanted of a picture that is not whole yet. */
  readonly measuringHeld: Store<boolean> = createStore(false);
  /** The frame that the canvas shows with every sample as it is stored; undefined while it shows a preview. */
  readonly drawn: Store<Frame | undefined> = createStore<Frame | undefined>(undefined);
  readonly look: Look;

  readonly element: HTMLDivElement;
  private readonly engine: RenderingEngine;
  private readonly viewportId: string;
  private readonly tools: Tools;
  private readonly prefetch: Prefetch;
  private readonly cine: Cine;
  private readonly undo: (() => void)[] = [];
  private frames: readonly Frame[] = [];
  private direction: 1 | -1 = 1;
  private tool: PrimaryTool = "windowLevel";
  private settling: ReturnType<typeof setTimeout> | undefined;
  private wheelRest = 0;
  private pressed = false;
  private destroyed = false;

  constructor(element: HTMLDivElement, words: MarkWords) {
    const backend = startCornerstone();
    viewsMade += 1;
    this.element = element;
    this.viewportId = `stack-${viewsMade}`;
    this.engine = new RenderingEngine(`engine-${viewsMade}`);
    const { STACK: type } = Enums.ViewportType;
    this.engine.enableElement({
      viewportId: this.viewportId,
      type,
      element,
      defaultOptions: { background: BACKGROUND },
    });
    element.dataset["backend"] = backend;
    if (backend === "cpu") hideVoiLutFunction(this.viewport);
    hideMarksUntilShown(this.viewport);
    this.look = new Look(
      () => this.viewport,
      () => this.frameAt(this.stack.get().shown ?? this.stack.get().wanted),
    );
    this.tools = createTools(this.viewportId, this.engine.id, {
      describe: (tool, imageId, places) => {
        const reading = readingOn(tool, imageId, places);
        return reading ? [...words.describe(reading)] : [];
      },
      ask: words.ask,
    });
    this.prefetch = new Prefetch({
      load: ({ imageId, tier, alone }) =>
        reach(imageId, tier, () => !alone || this.currentFrame()?.imageId === imageId),
      isLoaded: ({ imageId, tier }) => (tierOf(imageId) ?? -1) >= tier,
      hasRoom: () => cache.getCacheSize() < cache.getMaxCacheSize() * CACHE_SHARE_MAX,
    });
    this.cine = new Cine(
      {
        count: () => this.frames.length,
        index: () => this.stack.get().wanted,
        isReady: (index) => this.isReady(index),
        show: (index) => this.goTo(index),
      },
      { request: (callback) => requestAnimationFrame(callback), cancel: (handle) => cancelAnimationFrame(handle) },
    );
    this.listen();
  }

  /** Show another stack, in reading order, from its first slice on. */
  show(frames: readonly Frame[]): void {
    this.stop();
    const old = this.imageIds();
    this.frames = frames;
    addFrames(this, frames);
    const kept = new Set(this.imageIds());
    removeFrames(
      this,
      old.filter((imageId) => !kept.has(imageId)),
    );
    this.look.forget();
    this.prefetch.forget();
    this.drawn.set(undefined);
    this.stack.set({ count: frames.length, wanted: 0, shown: undefined });
    if (frames.length === 0) return;
    this.prefetchFrom(0);
    // A failure is known to `frameStates`; the promise of an overtaken slice never settles, so nothing waits for it.
    this.viewport.setStack(this.imageIds(), 0).catch(() => undefined);
  }

  /** More slices of the same stack have come: keep the slice, window and zoom that the reader has. */
  grow(frames: readonly Frame[]): void {
    const { wanted, shown } = this.stack.get();
    const placeOf = (index: number) => frames.findIndex((frame) => frame.imageId === this.frames[index]?.imageId);
    const place = placeOf(wanted);
    // Slices never go away while a study is open; should they, the stack is another one.
    if (place < 0) {
      this.show(frames);
      return;
    }
    const shownPlace = shown === undefined ? undefined : placeOf(shown);
    this.frames = frames;
    addFrames(this, frames);
    growStack(this.viewport, this.imageIds(), place);
    this.stack.set({ count: frames.length, wanted: place, shown: shownPlace });
    if (shownPlace === place) this.prefetchFrom(place);
    else this.display(place);
  }

  goTo(index: number): void {
    const { wanted, count } = this.stack.get();
    const next = Math.min(Math.max(Math.round(index), 0), count - 1);
    if (next === wanted || count === 0) return;
    this.direction = next > wanted ? 1 : -1;
    this.measuringHeld.set(false);
    this.stack.set({ ...this.stack.get(), wanted: next });
    clearTimeout(this.settling);
    if (this.isReady(next)) this.display(next);
    else this.settling = setTimeout(() => this.display(next), SETTLE_MS);
  }

  step(by: number): void {
    this.goTo(this.stack.get().wanted + by);
  }

  /** Ask again for what could not be had. */
  retry(): void {
    this.prefetch.retry();
    const { wanted, shown, count } = this.stack.get();
    if (count > 0 && shown !== wanted) this.display(wanted);
  }

  choose(tool: PrimaryTool): void {
    this.tool = tool;
    this.measuringHeld.set(false);
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

  /** All frames, in reading order. */
  allFrames(): readonly Frame[] {
    return this.frames;
  }

  /** Where a place in the patient is on the element, CSS pixels; undefined while there is no picture. */
  placeOf(place: Vector): readonly [number, number] | undefined {
    const frame = this.shownFrame();
    return frame && elementAt(this.viewport, frame, place);
  }

  /** Where a place of the image that is shown is on the element, CSS pixels; columns and rows from the first pixel's corner. */
  spotOf(point: ImagePoint): readonly [number, number] | undefined {
    const frame = this.shownFrame();
    const world = frame && worldOf(frame.imageId, point);
    return world && this.viewport.worldToCanvas(world);
  }

  /** The place in the patient under a place on the page; undefined outside of the element, or when nothing says. */
  placeUnder(clientX: number, clientY: number): Vector | undefined {
    const frame = this.shownFrame();
    const box = this.element.getBoundingClientRect();
    const [x, y] = [clientX - box.left, clientY - box.top];
    if (!frame || x < 0 || y < 0 || x > box.width || y > box.height) return undefined;
    return patientAt(this.viewport, frame, [x, y]);
  }

  private shownFrame(): Frame | undefined {
    const { shown } = this.stack.get();
    return this.viewport.getImageData() && shown !== undefined ? this.frameAt(shown) : undefined;
  }

  /** The frame that the reader is at, whether or not it is on the canvas already. */
  currentFrame(): Frame | undefined {
    return this.frameAt(this.stack.get().wanted);
  }

  destroy(): void {
    this.destroyed = true;
    this.stop();
    clearTimeout(this.settling);
    this.prefetch.stop();
    for (const undo of this.undo) undo();
    this.tools.destroy();
    this.engine.destroy();
    removeFrames(this, this.imageIds());
  }

  private get viewport(): Types.IStackViewport {
    return this.engine.getViewport(this.viewportId) as Types.IStackViewport;
  }

  /** What loading told of a frame counts. */
  private frameAt(index: number): Frame | undefined {
    const frame = this.frames[index];
    return frame && (frameOf(frame.imageId) ?? frame);
  }

  private imageIds(): string[] {
    return this.frames.map((frame) => frame.imageId);
  }

  private isReady(index: number): boolean {
    return stateOf(this.frames[index]?.imageId ?? "") === "ready";
  }

  private display(index: number): void {
    this.viewport.setImageIdIndex(index).catch(() => undefined);
    this.prefetchFrom(index);
  }

  private prefetchFrom(index: number): void {
    const order = outward(index, this.frames.length, this.direction);
    this.prefetch.follow(loadingSteps(order.flatMap((at) => this.frames[at]?.imageId ?? [])));
  }

  private readonly onSharperImage = (imageId: string, image: Types.IImage): void => {
    if (this.viewport.getCurrentImageId() !== imageId || this.stack.get().shown === undefined) return;
    this.viewport.renderImageObject(image);
    this.look.settle();
  };

  private readonly onNewImage = (event: Event): void => {
    const { imageId } = (event as CustomEvent<{ imageId: string }>).detail;
    const shown = this.frames.findIndex((frame) => frame.imageId === imageId);
    const { wanted } = this.stack.get();
    // The scroll tool moves the viewport by itself; the reader then is where it went.
    const moved = this.viewport.getCurrentImageIdIndex() === shown && shown !== wanted;
    this.stack.set({ ...this.stack.get(), wanted: moved ? shown : wanted, shown });
    if (moved) this.prefetchFrom(shown);
    // The event comes just before the image is drawn.
    queueMicrotask(() => this.destroyed || this.look.settle());
  };

  /** Told just after the canvas was painted, of the picture that was painted. */
  private readonly onRendered = (): void => {
    const frame = this.frameAt(this.stack.get().shown ?? -1);
    const image = this.viewport.getCornerstoneImage();
    this.drawn.set(frame && image?.imageId === frame.imageId && isWhole(image) ? frame : undefined);
  };

  private readonly onVoi = (event: Event): void => {
    const { range } = (event as CustomEvent<{ range: { lower: number; upper: number } }>).detail;
    if (this.pressed) this.look.noteWindow(range);
  };

  private readonly onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    if (event.ctrlKey) {
      this.look.zoomBy(event.deltaY < 0 ? WHEEL_ZOOM : 1 / WHEEL_ZOOM);
      return;
    }
    const { slices, rest } = turn(this.wheelRest, event.deltaY, event.deltaMode);
    this.wheelRest = rest;
    if (slices !== 0) this.step(slices);
  };

  private listen(): void {
    const on = (target: EventTarget, name: string, listener: (event: Event) => void, passive = true) => {
      target.addEventListener(name, listener, { passive });
      this.undo.push(() => target.removeEventListener(name, listener));
    };
    on(this.element, Enums.Events.STACK_NEW_IMAGE, this.onNewImage);
    on(this.element, Enums.Events.IMAGE_RENDERED, this.onRendered);
    on(this.element, Enums.Events.VOI_MODIFIED, this.onVoi);
    on(this.element, Enums.Events.CAMERA_MODIFIED, () => this.look.read());
    on(this.element, "wheel", (event) => this.onWheel(event as WheelEvent), false);
    on(this.element, "contextmenu", (event) => event.preventDefault(), false);
    on(this.element, "pointerdown", () => {
      this.pressed = true;
    });
    on(window, "pointerup", () => {
      this.pressed = false;
    });
    on(window, "pointercancel", () => {
      this.pressed = false;
    });
    on(window, "online", () => this.retry());
    this.undo.push(onSharper(this.onSharperImage));
    const tooEarly = () => measures(this.tool) && tierOf(this.currentFrame()?.imageId ?? "") !== WHOLE;
    this.undo.push(holdPresses(this.element, tooEarly, () => this.measuringHeld.set(true)));
    this.undo.push(onSized(this.element, () => this.engine.resize(true, true)));
  }
}
