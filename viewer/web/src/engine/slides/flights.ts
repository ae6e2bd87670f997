// Which tiles are worth waiting for. Pure.

import type { Box } from "./camera";
import type { Octave, Slide, TilePlace } from "./slide";

/** Tiles asked for at a time: enough for a line with delay, few enough that the first is soon there. */
export const IN_FLIGHT_MAX = 8;
/** Octaves of so few tiles fill the gaps behind all others; they are fetched whatever is looked at. */
const ALWAYS_TILES_MAX = 16;
/** A tile that lies just outside is likely to be wanted next. */
const MARGIN = 0.25;

function boxOf(slide: Slide, place: TilePlace): Box {
  const scale = 2 ** place.octave;
  const [width, height] = [slide.tileWidth * scale, slide.tileHeight * scale];
  const [left, top] = [place.column * width, place.row * height];
  return { left, top, right: left + width, bottom: top + height };
}

/** The octave whose pixels are nearest to the screen's, not coarser: what is asked for at `zoom`. */
export function octaveFor(octaves: readonly Octave[], zoom: number): number {
  const steps = Math.floor(Math.log2(1 / zoom) + 1e-6);
  return Math.min(Math.max(steps, 0), octaves.length - 1);
}

/**
 * Whether a tile that is on its way was flown past: nothing of it is in `seen` or near it, or it is finer than what one
 * looks at now by two octaves.
 */
export function isFlownPast(slide: Slide, place: TilePlace, seen: Box, zoom: number): boolean {
  const octave = slide.octaves[place.octave];
  if (!octave || octave.columns * octave.rows <= ALWAYS_TILES_MAX) return false;
  if (place.octave < octaveFor(slide.octaves, zoom) - 1) return true;
  const tile = boxOf(slide, place);
  const across = (seen.right - seen.left) * MARGIN;
  const down = (seen.bottom - seen.top) * MARGIN;
  return (
    tile.right < seen.left - across ||
    tile.left > seen.right + across ||
    tile.bottom < seen.top - down ||
    tile.top > seen.bottom + down
  );
}
