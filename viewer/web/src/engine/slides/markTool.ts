// The hand on a slide: mouse, finger or pen, with a tool that draws or one that points at what was drawn. A drag moves
// the slide with every tool but the freehand one.

import { createStore, type Store } from "../emitter";
import { type ScreenPoint, toScreen, toSlide } from "./camera";
import { clicked, type Draft, ended, type Near, type Step, stroked } from "./draft";
import { type Mark, type MarkKind, type Marks, POINTS_MAX } from "./marks";
import type { SlidePoint } from "./slide";
import type { SlideView } from "./slideView";

export type SlideTool = "pan" | MarkKind;

const CLICK_PX = 5;
const CLICK_MS = 600;
const CLOSE_PX = 10;
const STROKE_PX = 2;
const REACH_PX = 9;

export class MarkTool {
  readonly tool: Store<SlideTool> = createStore<SlideTool>("pan");
  readonly draft: Store<Draft | undefined> = createStore<Draft | undefined>(undefined);
  /** Where the pointer is, for the line that follows it. */
  readonly hover: Store<SlidePoint | undefined> = createStore<SlidePoint | undefined>(undefined);
  /** Where one pointed at the slide and no mark was. */
  readonly picked: Store<SlidePoint | undefined> = createStore<SlidePoint | undefined>(undefined);
  private readonly view: SlideView;
  private readonly marks: Marks;
  private readonly off = new AbortController();
  private pressed: { readonly at: ScreenPoint; readonly atMs: number } | undefined;

  constructor(view: SlideView, marks: Marks) {
    this.view = view;
    this.marks = marks;
    const options = { signal: this.off.signal };
    const { element } = view;
    element.addEventListener("pointerdown", (event) => this.down(event), options);
    element.addEventListener("pointermove", (event) => this.move(event), options);
    element.addEventListener("pointerup", (event) => this.up(event), options);
    element.addEventListener("pointercancel", () => this.cancel(), options);
  }

  choose(tool: SlideTool): void {
    this.cancel();
    this.tool.set(tool);
    this.view.setDragging(tool !== "freehand");
    this.view.setDoubleClickZooms(tool === "pan");
    this.view.element.dataset["tool"] = tool;
  }

  /** Drop what is being drawn. */
  cancel(): void {
    this.pressed = undefined;
    this.draft.set(undefined);
    this.hover.set(undefined);
  }

  /** Finish a polygon. */
  end(): void {
    this.take(ended(this.draft.get()));
  }

  destroy(): void {
    this.off.abort();
  }

  private down(event: PointerEvent): void {
    if (!event.isPrimary || event.button !== 0) return;
    this.pressed = { at: this.screenPoint(event), atMs: event.timeStamp };
    if (this.tool.get() === "freehand")
      this.draft.set(stroked(undefined, this.slidePoint(event), this.near(STROKE_PX)));
  }

  private move(event: PointerEvent): void {
    if (!event.isPrimary) return;
    const point = this.slidePoint(event);
    const draft = this.draft.get();
    if (this.tool.get() === "freehand" && this.pressed && draft && draft.points.length < POINTS_MAX) {
      this.draft.set(stroked(draft, point, this.near(STROKE_PX)));
    } else if (draft) {
      this.hover.set(point);
    }
  }

  private up(event: PointerEvent): void {
    const { pressed } = this;
    this.pressed = undefined;
    if (!event.isPrimary || !pressed) return;
    const tool = this.tool.get();
    const at = this.screenPoint(event);
    const isClick = distance(pressed.at, at) <= CLICK_PX && event.timeStamp - pressed.atMs <= CLICK_MS;
    if (tool === "freehand") this.end();
    else if (!isClick) return;
    else if (tool === "pan") this.pick(event, at);
    else this.take(clicked(tool, this.draft.get(), this.slidePoint(event), this.near(CLOSE_PX)));
  }

  private pick(event: PointerEvent, at: ScreenPoint): void {
    const mark = this.markAt(at);
    this.marks.select(mark?.uid);
    this.picked.set(mark ? undefined : this.slidePoint(event));
  }

  private take({ draft, done }: Step): void {
    this.draft.set(draft);
    if (!draft) this.hover.set(undefined);
    if (done) this.marks.add(done.kind, done.points);
  }

  /** The mark whose outline is nearest to a place on the screen, within reach. */
  private markAt(at: ScreenPoint): Mark | undefined {
    const camera = this.view.camera.get();
    const ranked = this.marks.list
      .get()
      .map((mark) => ({ mark, far: distanceTo(mark, at, (point) => toScreen(camera, point)) }))
      .filter(({ far }) => far <= REACH_PX)
      .sort((one, other) => one.far - other.far);
    return ranked[0]?.mark;
  }

  private near(pixels: number): Near {
    const { zoom } = this.view.camera.get();
    return (one, other) => Math.hypot(one.x - other.x, one.y - other.y) * zoom <= pixels;
  }

  private screenPoint(event: PointerEvent): ScreenPoint {
    const box = this.view.element.getBoundingClientRect();
    return { left: event.clientX - box.left, top: event.clientY - box.top };
  }

  private slidePoint(event: PointerEvent): SlidePoint {
    return toSlide(this.view.camera.get(), this.screenPoint(event));
  }
}

function distance(one: ScreenPoint, other: ScreenPoint): number {
  return Math.hypot(one.left - other.left, one.top - other.top);
}

function distanceTo(mark: Mark, at: ScreenPoint, place: (point: SlidePoint) => ScreenPoint): number {
  const corners = mark.points.map(place);
  const isClosed = mark.kind === "polygon" || mark.kind === "freehand";
  const ends = isClosed ? [...corners, ...corners.slice(0, 1)] : corners;
  return ends.reduce((least, end, index) => Math.min(least, toSegment(at, ends[index - 1] ?? end, end)), Infinity);
}

function toSegment(at: ScreenPoint, from: ScreenPoint, to: ScreenPoint): number {
  const [across, down] = [to.left - from.left, to.top - from.top];
  const square = across * across + down * down;
  const along = square === 0 ? 0 : ((at.left - from.left) * across + (at.top - from.top) * down) / square;
  const part = Math.min(Math.max(along, 0), 1);
  return distance(at, { left: from.left + part * across, top: from.top + part * down });
}
