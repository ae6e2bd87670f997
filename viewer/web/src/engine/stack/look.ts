// How a stack is shown: window, inversion, zoom. What the reader chose holds for every slice; until then each slice
// has the window that the stack was opened with, or brings along.

import type { Types } from "@cornerstonejs/core";
import { createStore, type Store } from "../emitter";
import { curveOf, rangeOfLookup } from "../frames/curve";
import type { Frame } from "../frames/frame";
import { minus, type Orientation, plus } from "../frames/geometry";
import { NO_WINDOWS, type OwnWindows, ownWindows, windowAfter } from "../frames/imageWindows";
import { type LevelScale, levelAt, PLAIN as UNSCALED, valueAt } from "../frames/levels";
import type { Lookup } from "../frames/lookup";
import type { ImageRange, Preset } from "../frames/presets";
import { fullWindow, rangeOf, type VoiRange, type VoiWindow, windowOf } from "../frames/windowing";
import { type ShownPart, type SizeRefusal, trueMagnification } from "../layers/displayedArea";
import { voiLookupOf } from "../loading/loader";
import { drawCurve } from "./internals";
import { axesOf, scaleOf, valueScaleOf, worldOf } from "./stackPlaces";

export interface Presentation {
  readonly window: VoiWindow | undefined;
  /** Shown by the VOI LUT that the image brings along: the window tells what it spans. */
  readonly byLookup: boolean;
  /** Turned round by the reader; a MONOCHROME1 image shown as it should be is not inverted. */
  readonly inverted: boolean;
  /** Screen pixels per image pixel, 1 is 1:1. */
  readonly scale: number;
  /** Where the screen's right and down are in the patient; undefined when the image does not say. */
  readonly axes: Orientation | undefined;
  /** A presentation state chose what is shown of the image; undefined: nobody but the reader. */
  readonly part: ShownPart["told"] | undefined;
  /** The reader asked for true size, and has it, or why not; undefined once the size is another one. */
  readonly trueSize: "shown" | SizeRefusal | undefined;
}

export const QUARTER = 90;
const FULL_TURN = 360;
/** Of two sizes that are the same. */
const SIZE_TOLERANCE = 1e-3;
/** In steps of what is drawn, which are whole. */
const THRESHOLD = 1e-3;
const PLAIN: Presentation = {
  window: undefined,
  byLookup: false,
  inverted: false,
  scale: 1,
  axes: undefined,
  part: undefined,
  trueSize: undefined,
};
const NOTHING = { window: undefined, lookup: undefined };

/** Where an image's right comes to be on the screen (to the right and down) when it is turned, then mirrored. */
function rightOf(degrees: number, mirrored: boolean): readonly [number, number] {
  const angle = (degrees * Math.PI) / 180;
  return [(mirrored ? -1 : 1) * Math.cos(angle), Math.sin(angle)];
}

/** A threshold has no range, and the GPU draws nothing by none: whatever is above it is white all the same. */
function opened({ lower, upper }: VoiRange): VoiRange {
  return upper > lower ? { lower, upper } : { lower, upper: lower + THRESHOLD };
}

export class Look {
  readonly presentation: Store<Presentation> = createStore(PLAIN);
  private readonly viewport: () => Types.IStackViewport;
  private readonly frame: () => Frame | undefined;
  private chosen: VoiWindow | undefined;
  private opening: Preset | undefined;
  private inverted = false;
  /** What the image is drawn by: a window, or the image's table. */
  private drawn: { readonly window: VoiWindow | undefined; readonly lookup: Lookup | undefined } = NOTHING;
  private part: ShownPart["told"] | undefined;
  private trueSize: Presentation["trueSize"];
  /** How many screen pixels a millimetre had when a size was chosen. */
  private sizedAt = Number.NaN;

  /** `frame` answers the frame that the canvas holds. */
  constructor(viewport: () => Types.IStackViewport, frame: () => Frame | undefined) {
    this.viewport = viewport;
    this.frame = frame;
  }

  /** Another stack: nothing is chosen. */
  forget(): void {
    this.chosen = undefined;
    this.inverted = false;
    this.part = undefined;
    this.sizedAt = Number.NaN;
    this.presentation.set(PLAIN);
    this.drawn = NOTHING;
  }

  /** A new image is on the canvas: show it the reader's way, or its own. */
  settle(): void {
    const image = this.imageRange();
    this.apply(this.chosen ?? (image && (this.fitOpening()?.window(image) ?? image.own)), this.isOwn());
  }

  /** What slices are shown with until the reader chooses; undefined: what they bring along. */
  openWith(preset: Preset | undefined): void {
    this.opening = preset;
    if (this.imageRange()) this.settle();
  }

  /** The window tool moved the window, told in what is drawn: the reader chose. */
  noteWindow(range: VoiRange): void {
    this.chosen = windowOf(this.toValues(range), this.drawn.window?.function);
    this.drawn = { window: this.chosen, lookup: undefined };
    this.bend();
    this.read();
  }

  /** One that somebody else chose for the reader, or of the image. */
  chooseWindow(window: VoiWindow): void {
    this.chosen = window;
    this.settle();
  }

  applyPreset(preset: Preset): void {
    const image = this.imageRange();
    if (!image) return;
    if (preset.name === "own") this.showOwn();
    else this.chooseWindow(preset.window(image));
  }

  /** Show what the image is opened with of its own. */
  showOwn(): void {
    this.chosen = undefined;
    this.opening = undefined;
    if (this.imageRange()) this.settle();
  }

  /** The windows that the image brings along. */
  ownWindows(): OwnWindows {
    const frame = this.frame();
    return frame ? ownWindows(frame.windows, frame.window, voiLookupOf(frame.imageId) !== undefined) : NO_WINDOWS;
  }

  /** Show the next of them, and after the last what the image is opened with. */
  nextWindow(): void {
    if (!this.imageRange()) return;
    const next = windowAfter(this.ownWindows(), this.drawn.window, this.isOwn());
    if (next) this.chooseWindow(next.window);
    else this.showOwn();
  }

  toggleInvert(): void {
    this.inverted = !this.inverted;
    this.apply(this.drawn.window, this.drawn.lookup !== undefined);
  }

  fit(): void {
    this.part = undefined;
    this.sizedAt = Number.NaN;
    this.viewport().resetCamera();
    this.redraw();
  }

  /** One image pixel on one screen pixel. */
  oneToOne(): void {
    this.zoomBy(1 / scaleOf(this.viewport(), this.frame()));
  }

  /** As large as in the patient; `pixelMm` is how large a pixel of the display was measured to be. */
  showTrueSize(pixelMm: number | undefined): void {
    const frame = this.frame();
    if (!frame) return;
    const magnification = trueMagnification(frame, pixelMm);
    const isKnown = typeof magnification === "number";
    if (isKnown) this.zoomBy(magnification / scaleOf(this.viewport(), frame));
    this.trueSize = isKnown ? "shown" : magnification;
    this.sizedAt = this.density();
    this.read();
  }

  zoomBy(factor: number): void {
    const viewport = this.viewport();
    viewport.setZoom(viewport.getZoom() * factor);
    this.redraw();
  }

  /** Turn the picture clockwise, degrees. */
  turn(degrees: number): void {
    const viewport = this.viewport();
    const { rotation = 0 } = viewport.getViewPresentation();
    viewport.setViewPresentation({ rotation: (rotation + degrees + 360) % 360 });
    this.redraw();
  }

  /** Mirror the picture left to right, or top to bottom. */
  flip(direction: "horizontal" | "vertical"): void {
    const viewport = this.viewport();
    const { flipHorizontal = false, flipVertical = false } = viewport.getCamera();
    viewport.setCamera(
      direction === "horizontal" ? { flipHorizontal: !flipHorizontal } : { flipVertical: !flipVertical },
    );
    this.redraw();
  }

  /**
   * Turned clockwise first, then mirrored left to right, as a presentation state has it (PS3.3 C.10.6), and fitted.
   *
   * The renderers mirror before or after they turn, so it is looked where the image's right has come to be.
   */
  place(degrees: number, mirrored: boolean): void {
    const viewport = this.viewport();
    viewport.setCamera({ flipHorizontal: mirrored, flipVertical: false });
    const wanted = rightOf(degrees, mirrored);
    for (const rotation of [degrees % FULL_TURN, (FULL_TURN - degrees) % FULL_TURN]) {
      viewport.setViewPresentation({ rotation });
      if (this.pointsRight(wanted)) break;
    }
    if (degrees % (2 * QUARTER) !== 0) this.zoomBy(this.fitOnItsSide());
    this.redraw();
  }

  /** Show a part of the image in the middle, as large as fits or magnified; to be asked for after `place`. */
  showPart({ left, top, right, bottom, magnification, told }: ShownPart): void {
    const [viewport, frame] = [this.viewport(), this.frame()];
    const place = (column: number, row: number) => frame && worldOf(frame.imageId, { column, row });
    const [from, to] = [place(left, top), place(right, bottom)];
    const middle = place((left + right) / 2, (top + bottom) / 2);
    if (!(from && to && middle)) return;
    const [a, b] = [viewport.worldToCanvas(from), viewport.worldToCanvas(to)];
    const { clientWidth: across, clientHeight: down } = viewport.element;
    const fitting = Math.min(across / Math.abs(b[0] - a[0]), down / Math.abs(b[1] - a[1]));
    const factor = magnification === undefined ? fitting : magnification / scaleOf(viewport, frame);
    if (!(Number.isFinite(factor) && factor > 0)) return;
    viewport.setZoom(viewport.getZoom() * factor);
    const { focalPoint, position } = viewport.getCamera();
    const moved = focalPoint && position && plus(position, minus(middle, focalPoint));
    viewport.setCamera({ focalPoint: middle, ...(moved ? { position: [...moved] } : {}) });
    this.part = told;
    this.trueSize = undefined;
    this.redraw();
    this.sizedAt = this.density();
    this.read();
  }

  /** As it was opened: its first window, not inverted, neither turned nor mirrored, fitted. */
  reset(): void {
    this.forget();
    this.viewport().setCamera({ flipHorizontal: false, flipVertical: false });
    this.viewport().setViewPresentation({ rotation: 0 });
    this.viewport().resetCamera();
    this.settle();
  }

  /** Tell what the viewport shows. */
  read(): void {
    const viewport = this.viewport();
    // The renderer tells of its camera before it has an image, and cannot say where anything is.
    if (!viewport.getCornerstoneImage()) return;
    const { voiRange } = viewport.getProperties();
    const isSized = Math.abs(this.density() / this.sizedAt - 1) < SIZE_TOLERANCE;
    this.presentation.set({
      window: voiRange ? windowOf(this.toValues(voiRange), this.drawn.window?.function) : undefined,
      byLookup: this.drawn.lookup !== undefined,
      inverted: this.inverted,
      scale: scaleOf(viewport, this.frame()),
      axes: this.frame()?.orientation && axesOf(viewport),
      part: this.part === "inTrueSize" && !isSized ? "trueSize" : this.part,
      trueSize: isSized ? this.trueSize : undefined,
    });
  }

  private fitOpening(): Preset | undefined {
    // A window in Hounsfield units says nothing of stored values.
    const isUnfit = this.opening?.fixed && this.frame()?.displayIgnored === "modalityLut";
    return isUnfit ? undefined : this.opening;
  }

  private isOwn(): boolean {
    return !this.chosen && (this.fitOpening()?.name ?? "own") === "own";
  }

  /** `own`: by the image's own table, where it brings one. */
  private apply(window: VoiWindow | undefined, own: boolean): void {
    const frame = this.frame();
    this.drawn = { window, lookup: own && frame ? voiLookupOf(frame.imageId) : undefined };
    const voi = window ? { voiRange: opened(this.toLevels(rangeOf(window))) } : {};
    this.viewport().setProperties({ ...voi, invert: this.isInverted() });
    this.bend();
    this.redraw();
  }

  /** Screen pixels of a millimetre of the image, or of one of its pixels where it does not say how large they are. */
  private density(): number {
    const frame = this.frame();
    return scaleOf(this.viewport(), frame) / (frame?.spacing?.columnMm ?? 1);
  }

  private isInverted(): boolean {
    return (this.frame()?.pixels.photometricInterpretation === "MONOCHROME1") !== this.inverted;
  }

  /** Draw by a curve what no straight line draws. */
  private bend(): void {
    const { window, lookup } = this.drawn;
    const curve = window && curveOf(window, lookup);
    const scale = this.scale();
    const levels = curve && { ...this.toLevels(curve), grey: (level: number) => curve.grey(valueAt(level, scale)) };
    drawCurve(this.viewport(), levels, this.isInverted());
  }

  private scale(): LevelScale {
    const frame = this.frame();
    return frame && !this.viewport().getCornerstoneImage()?.color ? valueScaleOf(frame.imageId, frame) : UNSCALED;
  }

  private toLevels({ lower, upper }: VoiRange): VoiRange {
    const scale = this.scale();
    return { lower: levelAt(lower, scale), upper: levelAt(upper, scale) };
  }

  private toValues({ lower, upper }: VoiRange): VoiRange {
    const scale = this.scale();
    return { lower: valueAt(lower, scale), upper: valueAt(upper, scale) };
  }

  /** Whether the rows of the image run in this direction on the screen. */
  private pointsRight([x, y]: readonly [number, number]): boolean {
    const frame = this.frame();
    const [from, to] = [0, 1].map((column) => frame && worldOf(frame.imageId, { column, row: 0 }));
    if (!(from && to)) return true;
    const [a, b] = [this.viewport().worldToCanvas(from), this.viewport().worldToCanvas(to)];
    return (b[0] - a[0]) * x + (b[1] - a[1]) * y > 0.9 * Math.hypot(b[0] - a[0], b[1] - a[1]);
  }

  /** By how much a picture that lies on its side is smaller or larger than it was, so that it is seen whole. */
  private fitOnItsSide(): number {
    const frame = this.frame();
    if (!frame) return 1;
    const { clientWidth: across, clientHeight: down } = this.viewport().element;
    const [width, height] = [frame.pixels.columns, frame.pixels.rows * frame.aspect];
    return Math.min(across / height, down / width) / Math.min(across / width, down / height);
  }

  private redraw(): void {
    this.viewport().render();
    this.read();
  }

  private imageRange(): ImageRange | undefined {
    const image = this.viewport().getCornerstoneImage();
    const frame = this.frame();
    if (!image || !frame) return undefined;
    if (image.color) return { own: { center: 128, width: 256 }, lowest: 0, highest: 255 };
    const { lower: lowest, upper: highest } = this.toValues({ lower: image.minPixelValue, upper: image.maxPixelValue });
    const lookup = voiLookupOf(frame.imageId);
    const own = lookup ? windowOf(rangeOfLookup(lookup)) : (frame.window ?? fullWindow(lowest, highest));
    return { own, lowest, highest };
  }
}
