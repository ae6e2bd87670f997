// Which tiles of what others found cover what one looks at. Pure.

import { type Camera, seenBox } from "./camera";
import type { Slide, TilePlace } from "./slide";

/** Pixels of a tile on a side: of bulk annotations, and of segmentations (wsi/bulk_tiles.py, wsi/segment_tiles.py). */
export const SIDE = 1024;
const OCTAVE_MAX = 20;

/** The octave whose pixels are nearest to the screen's. */
export function tileOctave(zoom: number): number {
  return Math.min(Math.max(Math.round(Math.log2(1 / zoom)), 0), OCTAVE_MAX);
}

/** Length of a tile's side in pixels of the finest octave. */
export function sideOf(octave: number): number {
  return SIDE * 2 ** octave;
}

/** The tiles that the screen shows, those in its middle first. */
export function tileCover(slide: Slide, camera: Camera): readonly TilePlace[] {
  const octave = tileOctave(camera.zoom);
  const side = sideOf(octave);
  const seen = seenBox(camera);
  const last = (pixels: number, size: number) => Math.floor((Math.min(pixels, size) - 1e-6) / side);
  const places: TilePlace[] = [];
  for (let row = Math.max(Math.floor(seen.top / side), 0); row <= last(seen.bottom, slide.height); row += 1)
    for (let column = Math.max(Math.floor(seen.left / side), 0); column <= last(seen.right, slide.width); column += 1)
      places.push({ octave, column, row });
  const far = ({ column, row }: TilePlace) =>
    Math.hypot((column + 0.5) * side - camera.center.x, (row + 0.5) * side - camera.center.y);
  return places.sort((one, other) => far(one) - far(other));
}

export function keyOf({ octave, column, row }: TilePlace): string {
  return `${octave}/${column}_${row}`;
}
