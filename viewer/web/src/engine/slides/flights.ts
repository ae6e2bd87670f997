// Which tiles are worth waiting for. Pure.

import type { Box } from "./camera";
import type { Octave, Slide, TilePlace } from "./slide";

/** Tiles asked for at a time: enough for a line with delay, few enough that the first is soon there. */
export const IN_FLIGHT_MAX = 8;
/** Screen pixels per pixel of an octave, below which the next coarser one is shown. */
export const PIXEL_RATIO_MIN = 0.55;
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

/**
 * The coarsest octave whose pixels are no larger than a tenth over the screen's: what is asked for at `zoom`. Scanners'
 * "40x" is 38 to 46: at half of it the next octave would be four times the tiles for what nobody sees.
 */
export function octaveFor(octaves: readonly Octave[], zoom: number): number {
  const steps = Math.ceil(Math.log2(PIXEL_RATIO_MIN / zoom) - 1e-9);
  return Math.min(Math.max(steps, 0), octaves.length - 1);
}

/**
 * Whether a tile that is on its way was flown past, given where one goes: nothing of it is in `seen` or near it, or it is
 * of a magnification that one only goes through (`moving`), or finer than what one looks at now by two octaves.
 */
export function isFlownPast(slide: Slide, place: TilePlace, seen: Box, zoom: number, moving: boolean): boolean {
  const octave = slide.octaves[place.octave];
  if (!octave || octave.columns * octave.rows <= ALWAYS_TILES_MAX) return false;
  const wanted = octaveFor(slide.octaves, zoom);
  if (place.octave < wanted - 1 || (moving && place.octave !== wanted)) return true;
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
