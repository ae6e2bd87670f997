// A stack as a film: each image is gone to, waited for until the canvas shows it as it is stored, and taken.

import type { StackView } from "../stack/stackView";
import type { FilmWriter } from "./filmWriter";

/** For one image to come, ms. */
const IMAGE_WAIT_MS = 60_000;

export class ImageNotThere extends Error {}

/** The first image of a film of at most `most` images that begins, where not all have room, at the one looked at. */
export function filmFrom(count: number, at: number, most: number): number {
  return Math.max(0, Math.min(at, count - most));
}

/** Go to an image and wait until it is painted whole. Throws ImageNotThere, or the signal's reason. */
async function painted(view: StackView, index: number, signal: AbortSignal): Promise<void> {
  view.goTo(index);
  const wanted = view.allFrames()[index];
  const stops: (() => void)[] = [];
  await new Promise<void>((resolve, reject) => {
    const look = () => (view.drawn.get()?.imageId === wanted?.imageId ? resolve() : undefined);
    const leave = () => reject(signal.reason);
    const timer = setTimeout(() => reject(new ImageNotThere()), IMAGE_WAIT_MS);
    signal.addEventListener("abort", leave);
    stops.push(
      view.drawn.subscribe(look),
      () => clearTimeout(timer),
      () => signal.removeEventListener("abort", leave),
    );
    if (signal.aborted) leave();
    look();
  }).finally(() => {
    for (const stop of stops) stop();
  });
}

/** What lies over an image is drawn in the next refresh of the screen. */
function refreshed(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
  });
}

export interface Filming {
  readonly view: StackView;
  readonly first: number;
  readonly count: number;
  readonly writer: FilmWriter;
  /** The picture of the image that is on the screen. */
  readonly shoot: () => Promise<HTMLCanvasElement>;
  readonly onProgress: (taken: number) => void;
  readonly signal: AbortSignal;
}

/** The film's file. Throws ImageNotThere, what the encoder throws, or the signal's reason. */
export async function film({ view, first, count, writer, shoot, onProgress, signal }: Filming): Promise<Uint8Array> {
  view.stop();
  const before = view.stack.get().wanted;
  try {
    for (let taken = 0; taken < count; taken += 1) {
      await painted(view, first + taken, signal);
      await refreshed();
      await writer.add(await shoot());
      onProgress(taken + 1);
    }
    return await writer.end();
  } finally {
    writer.close();
    view.goTo(before);
  }
}
