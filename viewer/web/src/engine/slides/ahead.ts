// The tiles of the field that comes next on a walk, fetched into the browser's cache while nothing else is wanted.

import type { Box } from "./camera";
import { octaveFor } from "./flights";
import type { Slide, TilePlace } from "./slide";

const IN_FLIGHT_MAX = 4;
const TILES_MAX = 200;

/** The tiles of what is asked for at `zoom` that lie in a part of the slide, row by row. Pure. */
export function tilesIn(slide: Slide, box: Box, zoom: number): readonly TilePlace[] {
  const number = octaveFor(slide.octaves, zoom);
  const octave = slide.octaves[number];
  if (!octave) return [];
  const [width, height] = [slide.tileWidth * 2 ** number, slide.tileHeight * 2 ** number];
  const first = (place: number, side: number) => Math.max(Math.floor(place / side), 0);
  const places: TilePlace[] = [];
  for (let row = first(box.top, height); row < Math.min(Math.ceil(box.bottom / height), octave.rows); row += 1)
    for (
      let column = first(box.left, width);
      column < Math.min(Math.ceil(box.right / width), octave.columns);
      column += 1
    )
      places.push({ octave: number, column, row });
  return places.slice(0, TILES_MAX);
}

export class Ahead {
  private control: AbortController | undefined;

  /** Fetch these, a few at a time, and nothing else any more. */
  fetch(urls: readonly string[]): void {
    this.stop();
    const control = new AbortController();
    this.control = control;
    const left = [...urls];
    for (let number = 0; number < IN_FLIGHT_MAX; number += 1) void bring(left, control.signal);
  }

  /** The line is wanted for something else. */
  stop(): void {
    this.control?.abort();
    this.control = undefined;
  }
}

async function bring(left: string[], signal: AbortSignal): Promise<void> {
  for (let url = left.shift(); url !== undefined && !signal.aborted; url = left.shift()) {
    const asked = { credentials: "same-origin", headers: { Accept: "image/jpeg" }, priority: "low", signal } as const;
    // What does not come now is asked for again, and its problem told, when it is looked at.
    await fetch(url, asked)
      .then((response) => response.arrayBuffer())
      .catch(() => undefined);
  }
}
