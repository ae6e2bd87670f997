// What lies over the images of a study: their overlay planes and segmentations, shown or hidden, fetched when needed.

import { createStore, type Store } from "../emitter";
import type { Frame, PixelModule } from "../frames/frame";
import { fetchFrame } from "../loading/fetchFrame";
import { EXPLICIT_LITTLE_ENDIAN, frameIn } from "../loading/multipart";
import { drawable, storedValues } from "../loading/nativePixels";
import { faultOf } from "../loading/problems";
import { type OthersMark, othersOn } from "./othersMarks";
import { bitsOf, type OverlayPlane } from "./overlayPlanes";
import { graphicsOn, type Line, type PresentationState, type Spot, type Words } from "./presentationState";
import { type Placement, placementOn, type Segmentation, type SegmentFrame } from "./segmentation";
import { type Color, SEGMENT_OPACITY, segmentColor } from "./segmentColor";

const OVERLAY_COLOR: Color = [255, 224, 102];
/** Pictures of layers that are kept; the oldest goes. */
const KEPT_MAX = 96;
/** Over one image, so that all of them can be kept. */
const SHOWN_MAX = 48;
export const OVERLAYS = "overlays";
export const OTHERS = "others";

export interface Drawn extends Placement {
  readonly picture: HTMLCanvasElement;
}

interface Wanted extends Placement {
  readonly key: string;
  readonly make: () => Promise<HTMLCanvasElement | undefined>;
}

export function segmentKey(segmentation: Segmentation, segment: number): string {
  return `${segmentation.sopInstanceUid} ${segment}`;
}

/** Samples from nought to one, as a picture of one color. */
function pictureOf(
  samples: ArrayLike<number>,
  columns: number,
  rows: number,
  full: number,
  color: Color,
  opacity: number,
) {
  const { picture, pixels } = emptyPicture(columns, rows);
  for (let at = 0; at < columns * rows; at += 1) {
    const sample = samples[at] ?? 0;
    if (sample > 0) pixels.data.set([...color, Math.round((255 * opacity * Math.min(sample, full)) / full)], at * 4);
  }
  picture.getContext("2d")?.putImageData(pixels, 0, 0);
  return picture;
}

/** A label map's segments as a picture, each in its color. */
function mapOf(labels: ArrayLike<number> | undefined, { columns, rows }: PixelModule, shown: readonly number[]) {
  if (!labels) return undefined;
  const { picture, pixels } = emptyPicture(columns, rows);
  const colors = new Map(
    shown.map((segment) => [segment, [...segmentColor(segment), Math.round(255 * SEGMENT_OPACITY)]]),
  );
  for (let at = 0; at < columns * rows; at += 1) {
    const color = colors.get(labels[at] ?? 0);
    if (color) pixels.data.set(color, at * 4);
  }
  picture.getContext("2d")?.putImageData(pixels, 0, 0);
  return picture;
}

function emptyPicture(columns: number, rows: number) {
  const picture = document.createElement("canvas");
  picture.width = columns;
  picture.height = rows;
  return { picture, pixels: new ImageData(columns, rows) };
}

export class Layers {
  /** Raised by one whenever another picture should be drawn. */
  readonly changed: Store<number> = createStore(0);
  readonly hidden: Store<ReadonlySet<string>> = createStore<ReadonlySet<string>>(new Set());
  private segmentations: readonly Segmentation[] = [];
  private others: readonly OthersMark[] = [];
  /** Undefined while a picture is on its way, or could not be had. */
  private readonly pictures = new Map<string, HTMLCanvasElement | undefined>();

  /** The presentation state that is shown: none until somebody chooses one. */
  readonly state: Store<PresentationState | undefined> = createStore<PresentationState | undefined>(undefined);

  /** Show a state's graphics, or, when it is shown already, none. */
  chooseState(state: PresentationState): boolean {
    const next = this.state.get()?.sopInstanceUid === state.sopInstanceUid ? undefined : state;
    this.state.set(next);
    this.tell();
    return next !== undefined;
  }

  /** What the chosen state has drawn and written on an image. */
  graphics(image: Frame): readonly (Line | Words)[] {
    const state = this.state.get();
    return state ? graphicsOn(state, image) : [];
  }

  setOthers(others: readonly OthersMark[]): void {
    this.others = others;
    this.tell();
  }

  /** What other documents draw and write on an image. */
  othersOn(image: Frame): readonly (Line | Spot | Words)[] {
    return this.hidden.get().has(OTHERS) ? [] : othersOn(this.others, image);
  }

  setSegmentations(segmentations: readonly Segmentation[]): void {
    this.segmentations = segmentations;
    this.tell();
  }

  toggle(...keys: readonly string[]): void {
    const hidden = new Set(this.hidden.get());
    const shown = keys.some((key) => !hidden.has(key));
    for (const key of keys) {
      if (shown) hidden.add(key);
      else hidden.delete(key);
    }
    this.hidden.set(hidden);
    this.tell();
  }

  /** What lies on an image and is shown and here; what is not here yet is asked for. */
  on(image: Frame): readonly Drawn[] {
    const hidden = this.hidden.get();
    const segments = this.segmentations.flatMap((segmentation) => {
      const shown = segmentation.segments
        .map((segment) => segment.number)
        .filter((segment) => !hidden.has(segmentKey(segmentation, segment)));
      return segmentation.frames.flatMap((frame) => this.segmentOn(image, segmentation, frame, shown) ?? []);
    });
    const planes = hidden.has(OVERLAYS) ? [] : image.overlays.flatMap((plane) => this.overlayOn(image, plane) ?? []);
    return [...segments, ...planes].slice(0, SHOWN_MAX).flatMap(({ key, make, ...placement }) => {
      const picture = this.picture(key, make);
      return picture ? [{ picture, ...placement }] : [];
    });
  }

  private overlayOn(image: Frame, plane: OverlayPlane): Wanted | undefined {
    const frame = image.frameNumber - plane.firstFrame;
    if (frame < 0 || frame >= plane.frames) return undefined;
    const { rows, columns, row, column } = plane;
    const make = async () => {
      const bytes = plane.data ?? (plane.url && (await bulk(plane.url)));
      return bytes ? pictureOf(bitsOf(bytes, rows * columns, frame), columns, rows, 1, OVERLAY_COLOR, 1) : undefined;
    };
    return { key: `${image.imageId} ${plane.group}`, make, row, column, across: 1, down: 1 };
  }

  /** Of a label map the segments that are `shown` are one picture. */
  private segmentOn(
    image: Frame,
    { full }: Segmentation,
    frame: SegmentFrame,
    shown: readonly number[],
  ): Wanted | undefined {
    const { segment } = frame;
    const wanted = segment === undefined ? shown : shown.filter((one) => one === segment);
    const placement = wanted.length > 0 ? placementOn(image, frame) : undefined;
    if (!placement) return undefined;
    const { pixels, url, imageId } = frame.frame;
    const make = async () => {
      const fetching = { signal: new AbortController().signal, wait: pause };
      const part = await fetchFrame(url, fetching, EXPLICIT_LITTLE_ENDIAN);
      if (segment === undefined) return mapOf(storedValues(part.bytes, pixels), pixels, wanted);
      const samples = drawable(part.bytes, pixels)?.bytes;
      const color = segmentColor(segment);
      return samples && pictureOf(samples, pixels.columns, pixels.rows, full, color, SEGMENT_OPACITY);
    };
    return { key: segment === undefined ? `${imageId} ${wanted.join(" ")}` : imageId, make, ...placement };
  }

  private picture(key: string, make: Wanted["make"]): HTMLCanvasElement | undefined {
    if (this.pictures.has(key)) return this.pictures.get(key);
    this.pictures.set(key, undefined);
    const [oldest] = this.pictures.keys();
    if (this.pictures.size > KEPT_MAX && oldest !== undefined) this.pictures.delete(oldest);
    make().then(
      (made) => {
        if (made) this.pictures.set(key, made);
        this.tell();
      },
      (problem) => {
        // The line was broken for long: whoever comes back to the image finds it asked for again, not left out for good.
        if (faultOf(problem).kind === "unreachable") this.pictures.delete(key);
      },
    );
    return undefined;
  }

  private tell(): void {
    this.changed.set(this.changed.get() + 1);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function bulk(url: string): Promise<Uint8Array | undefined> {
  const headers = { Accept: "multipart/related; type=application/octet-stream" };
  const response = await fetch(url, { headers, credentials: "same-origin" });
  if (!response.ok) return undefined;
  return frameIn(new Uint8Array(await response.arrayBuffer()), response.headers.get("Content-Type") ?? "")?.bytes;
}
