// The room's image loader: frames over same-origin DICOMweb, decoded by Cornerstone's worker, known by `vienanh:` ids.

import { cache, imageLoader, metaData, type Types } from "@cornerstonejs/core";
import { createImage } from "@cornerstonejs/dicom-image-loader";
import { FrameProblem, fetchFrame } from "./fetchFrame";
import type { Frame, PixelModule } from "./frame";
import { forget, setState } from "./frameStates";
import { moduleOf } from "./modules";
import { type FramePart, isUncompressed } from "./multipart";
import { drawable } from "./nativePixels";

const SCHEME = "vienanh";
/** Above the providers that Cornerstone brings along. */
const PROVIDER_PRIORITY = 10_000;

const frames = new Map<string, Frame>();
/** Pixel modules of frames that are drawn in another form than they are stored in. */
const shapes = new Map<string, PixelModule>();

export function frameOf(imageId: string): Frame | undefined {
  return frames.get(imageId);
}

export function addFrames(added: readonly Frame[]): void {
  for (const frame of added) frames.set(frame.imageId, frame);
}

/** Give back the memory of frames that no viewport shows any more. */
export function removeFrames(imageIds: readonly string[]): void {
  for (const imageId of imageIds) {
    frames.delete(imageId);
    shapes.delete(imageId);
    if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true });
  }
  forget(imageIds);
}

/** A pause that ends early when the line comes back. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener("online", done);
  });
}

/** The part in a form that the renderer draws rightly; what cannot be drawn rightly is not drawn. */
function prepared(frame: Frame, part: FramePart): FramePart {
  const { pixels } = frame;
  if (pixels.photometricInterpretation === "PALETTE COLOR" && !pixels.palettes) throw new FrameProblem("unreadable");
  if (!isUncompressed(part.transferSyntaxUid)) {
    if (pixels.samplesPerPixel > 1 && pixels.bitsStored > 8) throw new FrameProblem("unreadable");
    return part;
  }
  const made = drawable(part.bytes, pixels);
  if (!made) throw new FrameProblem("unreadable");
  if (made.pixels !== pixels) shapes.set(frame.imageId, made.pixels);
  return { ...part, bytes: made.bytes };
}

async function load(frame: Frame, signal: AbortSignal, useRgba: boolean): Promise<Types.IImage> {
  setState(frame.imageId, "loading");
  try {
    const part = prepared(frame, await fetchFrame(frame.url, signal, pause));
    const image = await createImage(frame.imageId, part.bytes, part.transferSyntaxUid, { useRGBA: useRgba });
    setState(frame.imageId, "ready");
    return image as Types.IImage;
  } catch (error) {
    if (signal.aborted) throw new FrameCancelled();
    const problem = error instanceof FrameProblem ? error : new FrameProblem("unreadable");
    setState(frame.imageId, problem.kind);
    throw problem;
  }
}

/** Nobody wants the frame any more. */
class FrameCancelled extends Error {}

/**
 * Cornerstone's cache drops a promise of its own for every frame that fails; what failed is known here already
 * (`frameStates`), so the browser need not report it as a fault.
 */
function ignoreDroppedPromises(): void {
  window.addEventListener("unhandledrejection", (event) => {
    if (event.reason instanceof FrameProblem || event.reason instanceof FrameCancelled) event.preventDefault();
  });
}

/** Register the loader and the metadata of its frames; `useRgba` is what the chosen backend draws colour from. */
export function registerLoader(useRgba: boolean): void {
  ignoreDroppedPromises();
  imageLoader.registerImageLoader(SCHEME, (imageId: string) => {
    const frame = frames.get(imageId);
    const controller = new AbortController();
    const promise = frame ? load(frame, controller.signal, useRgba) : Promise.reject(new FrameProblem("missing"));
    return { promise: promise as Promise<Types.IImage>, cancelFn: () => controller.abort() };
  });
  metaData.addProvider((name: string, imageId: unknown) => {
    const frame = typeof imageId === "string" ? frames.get(imageId) : undefined;
    const pixels = frame && shapes.get(frame.imageId);
    return frame && moduleOf(name, pixels ? { ...frame, pixels } : frame);
  }, PROVIDER_PRIORITY);
}
