// Which tiles lie in a part of a slide, and which around it. Pure.

import type { Box } from "./camera";
import { octaveFor } from "./flights";
import type { Slide, SlidePoint, TilePlace } from "./slide";

/** The tiles of what is asked for at `zoom` that lie in a part of the slide, row by row. */
export function tilesIn(slide: Slide, box: Box, zoom: number): readonly TilePlace[] {
  const number = octaveFor(slide.octaves, zoom);
  const octave = slide.octaves[number];
  if (!octave) return [];
  const [width, height] = sides(slide, number);
  const first = (place: number, side: number) => Math.max(Math.floor(place / side), 0);
  const places: TilePlace[] = [];
  for (let row = first(box.top, height); row < Math.min(Math.ceil(box.bottom / height), octave.rows); row += 1)
    for (
      let column = first(box.left, width);
      column < Math.min(Math.ceil(box.right / width), octave.columns);
      column += 1
    )
      places.push({ octave: number, column, row });
  return places;
}

/** Those that are not among the seen ones. */
export function beyond(seen: readonly TilePlace[], places: readonly TilePlace[]): readonly TilePlace[] {
  const keyOf = ({ octave, column, row }: TilePlace) => `${octave} ${column} ${row}`;
  const inside = new Set(seen.map(keyOf));
  return places.filter((place) => !inside.has(keyOf(place)));
}

/** The tiles that are seen and one more on each side, those nearest to `towards` first. */
export function tilesAround(slide: Slide, seen: Box, zoom: number, towards: SlidePoint): readonly TilePlace[] {
  const [width, height] = sides(slide, octaveFor(slide.octaves, zoom));
  const wider = {
    left: seen.left - width,
    top: seen.top - height,
    right: seen.right + width,
    bottom: seen.bottom + height,
  };
  const far = ({ column, row }: TilePlace) =>
    Math.hypot((column + 0.5) * width - towards.x, (row + 0.5) * height - towards.y);
  return [...tilesIn(slide, wider, zoom)].sort((one, other) => far(one) - far(other));
}

/** Of a tile, in pixels of the finest octave. */
function sides(slide: Slide, octave: number): readonly [number, number] {
  return [slide.tileWidth * 2 ** octave, slide.tileHeight * 2 ** octave];
}
