// The room's image loader: frames over same-origin DICOMweb, decoded by Cornerstone's worker, known by `vienanh:` ids.
// On a thin line a frame comes in steps of resolution and is sharpened in place; its matrix never changes size.

import { cache, imageLoader, metaData, type Types } from "@cornerstonejs/core";
import { createStore, type Store } from "../emitter";
import type { Frame } from "../frames/frame";
import type { LevelScale } from "../frames/levels";
import type { Lookup } from "../frames/lookup";
import { TABLE_BYTES_MAX } from "../frames/palette";
import { Decoding, isMisread, wantsDecoded } from "./decoding";
import { fetchFrame, fetchTier, fetchValue } from "./fetchFrame";
import { forget, setReady, setState, tierOf } from "./frameStates";
import { Line } from "./line";
import { Lookups } from "./lookups";
import { moduleOf } from "./modules";
import { EXPLICIT_LITTLE_ENDIAN } from "./multipart";
import { Palettes } from "./palettes";
import { FrameProblem, faultOf, isOfForm, isOfImage } from "./problems";
import { hasTiers, type Tier, WHOLE } from "./tiers";

const SCHEME = "vienanh";
const HTJ2K_LOSSLESS_RPCL = "1.2.840.10008.1.2.4.202";
/** Above the providers that Cornerstone brings along. */
const PROVIDER_PRIORITY = 10_000;

type Sharper = (imageId: string, image: Types.IImage) => void;

const frames = new Map<string, Frame>();
/** The viewports that show a frame. */
const owners = new Map<string, Set<object>>();
/** The codestreams of frames that are here in part. */
const begun = new Map<string, Uint8Array>();
/** Sharpening under way, by frame. */
const sharpening = new Map<string, Promise<void>>();
/** Series whose frames the server has whole alone. */
const withoutTiers = new Set<string>();
/** Instances whose frames the browser's decoder would misread, so that the others are not fetched for nothing. */
const misread = new Set<string>();
/** Pictures of every sample as it is stored. */
const wholes = new WeakSet<Types.IImage>();
const listeners = new Set<Sharper>();
const line = new Line();
// Frames share what is fetched, so it goes on when one of them is not wanted any more.
const fetchTable = (url: string) =>
  fetchValue(url, TABLE_BYTES_MAX, { signal: new AbortController().signal, wait: pause });
const decoding = new Decoding(new Palettes(fetchTable), new Lookups(fetchTable));
/** Raised whenever frames came into the room. */
export const framesKnown: Store<number> = createStore(0);

/** As it turned out to be, once it was loaded. */
export function frameOf(imageId: string): Frame | undefined {
  const frame = frames.get(imageId);
  return frame && decoding.asRead(frame);
}

/** Whether a frame is the only one of its instance. */
export function isAlone(frame: Frame): boolean {
  return frame.frameNumber === 1 && !frames.has(frame.imageId.replace(/1$/, "2"));
}

/** Whether the samples in the cache are modality values (Hounsfield units, say) rather than stored ones. */
export function holdsModalityValues(imageId: string): boolean {
  return decoding.holdsModalityValues(imageId);
}

/** What the samples of an image drawn by levels stand for; undefined of others. */
export function levelScaleOf(imageId: string): LevelScale | undefined {
  return decoding.scaleOf(imageId);
}

/** Modality values of an image whose samples do not tell them. */
export function keptValuesOf(imageId: string): Float32Array | undefined {
  return decoding.valuesOf(imageId);
}

/** The VOI LUT that an image brings along. */
export function voiLookupOf(imageId: string): Lookup | undefined {
  return decoding.voiLookupOf(imageId);
}

/** Whether a picture has every sample of its frame as it is stored: it is no preview. */
export function isWhole(image: Types.IImage): boolean {
  return wholes.has(image);
}

/** Make frames known for a viewport; two may show the same. */
export function addFrames(owner: object, added: readonly Frame[]): void {
  for (const frame of added) {
    frames.set(frame.imageId, frame);
    const of = owners.get(frame.imageId) ?? new Set();
    owners.set(frame.imageId, of.add(owner));
  }
  framesKnown.set(framesKnown.get() + 1);
}

/** Give back the memory of a viewport's frames that no other one shows. */
export function removeFrames(owner: object, imageIds: readonly string[]): void {
  const orphans = imageIds.filter((imageId) => {
    const of = owners.get(imageId);
    of?.delete(owner);
    return !of?.size;
  });
  for (const imageId of orphans) {
    owners.delete(imageId);
    frames.delete(imageId);
    begun.delete(imageId);
    decoding.forget(imageId);
    if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true });
  }
  forget(orphans);
}

/** Hear of every picture that was replaced by a sharper one; answers how to stop. */
export function onSharper(listener: Sharper): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Load a frame up to a tier, as long as it `isWanted`; what could be had is shown. */
export async function reach(imageId: string, tier: Tier, isWanted: () => boolean): Promise<void> {
  await imageLoader.loadAndCacheImage(imageId);
  while ((tierOf(imageId) ?? WHOLE) < tier && isWanted()) await sharpen(imageId);
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

async function timed<T>(fetched: Promise<T>, sizeOf: (result: T) => number): Promise<T> {
  const before = performance.now();
  const result = await fetched;
  line.note(sizeOf(result), performance.now() - before);
  return result;
}

async function whole(frame: Frame, signal: AbortSignal): Promise<Types.IImage> {
  const fetching = { signal, wait: pause };
  const isForNode = wantsDecoded(frame.pixels) || misread.has(frame.sopInstanceUid);
  const syntax = isForNode ? EXPLICIT_LITTLE_ENDIAN : undefined;
  let part = await timed(fetchFrame(frame.url, fetching, syntax), (fetched) => fetched.bytes.length);
  if (isMisread(frame.pixels, part)) {
    misread.add(frame.sopInstanceUid);
    part = await fetchFrame(frame.url, fetching, EXPLICIT_LITTLE_ENDIAN);
  }
  const image = await decoding.image(frame, part);
  wholes.add(image);
  setReady(frame.imageId, WHOLE);
  return image;
}

/** The next step of a frame: all its bytes so far, decoded to the whole matrix. */
async function step(frame: Frame, tier: Tier, signal: AbortSignal): Promise<Types.IImage> {
  const before = begun.get(frame.imageId) ?? new Uint8Array();
  const added = await timed(fetchTier(frame.url, tier, { signal, wait: pause }), (fetched) => fetched.length);
  const bytes = new Uint8Array(before.length + added.length);
  bytes.set(before);
  bytes.set(added, before.length);
  const image = await decoding.image(frame, { bytes, transferSyntaxUid: HTJ2K_LOSSLESS_RPCL });
  if (!frames.has(frame.imageId)) throw new FrameCancelled();
  if (tier === WHOLE) {
    begun.delete(frame.imageId);
    wholes.add(image);
  } else begun.set(frame.imageId, bytes);
  setReady(frame.imageId, tier);
  return image;
}

/** A first picture: a quarter of it where the line is thin and the server has steps, else all of it. */
async function first(frame: Frame, signal: AbortSignal): Promise<Types.IImage> {
  const series = frame.url.split("/instances/")[0] ?? frame.url;
  if (!hasTiers(frame) || !line.isThin || withoutTiers.has(series)) return whole(frame, signal);
  try {
    return await step(frame, 0, signal);
  } catch (error) {
    if (!(error instanceof FrameProblem) || !isOfImage(error.kind)) throw error;
    if (isOfForm(error.kind)) withoutTiers.add(series);
    return whole(frame, signal);
  }
}

function sharpen(imageId: string): Promise<void> {
  const frame = frames.get(imageId);
  const reached = tierOf(imageId);
  if (!frame || reached === undefined) return Promise.reject(new FrameCancelled());
  const under =
    sharpening.get(imageId) ??
    step(frame, reached === 0 ? 1 : WHOLE, new AbortController().signal)
      .then((image) => replace(imageId, image))
      .finally(() => sharpening.delete(imageId));
  sharpening.set(imageId, under);
  return under;
}

/** Put a sharper picture in the place of the one that is cached. */
function replace(imageId: string, image: Types.IImage): void {
  if (!cache.getImageLoadObject(imageId)) return;
  cache.removeImageLoadObject(imageId, { force: true });
  cache.putImageLoadObject(imageId, { promise: Promise.resolve(image) }).catch(() => undefined);
  for (const listener of listeners) listener(imageId, image);
}

async function load(frame: Frame, signal: AbortSignal): Promise<Types.IImage> {
  setState(frame.imageId, "loading");
  try {
    return await first(frame, signal);
  } catch (error) {
    if (signal.aborted || error instanceof FrameCancelled) throw new FrameCancelled();
    const problem = faultOf(error);
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
  decoding.useRgba = useRgba;
  ignoreDroppedPromises();
  imageLoader.registerImageLoader(SCHEME, (imageId: string) => {
    const frame = frames.get(imageId);
    const controller = new AbortController();
    const promise = frame ? load(frame, controller.signal) : Promise.reject(new FrameProblem("missing"));
    return { promise: promise as Promise<Types.IImage>, cancelFn: () => controller.abort() };
  });
  metaData.addProvider((name: string, imageId: unknown) => {
    const frame = typeof imageId === "string" ? frames.get(imageId) : undefined;
    return frame && moduleOf(name, decoding.asDrawn(frame));
  }, PROVIDER_PRIORITY);
}
