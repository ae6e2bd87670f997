// A tile of a segmentation as the node sends it (wsi/segment_tiles.py): how much of each pixel each segment has. Pure.

import { SIDE } from "../cover";
import type { SegmentInk } from "./messages";

const HEAD_BYTES = 8;
const MAGIC = 0x31475356; // "VSG1"
const PIXELS = SIDE * SIDE;

/** By number of segment: of each pixel, row by row, from 0 to 255. */
export type SegmentTile = ReadonlyMap<number, Uint8Array>;

/** Read a tile; undefined when it is none. */
export function readSegmentTile(data: ArrayBuffer): SegmentTile | undefined {
  if (data.byteLength < HEAD_BYTES) return undefined;
  const head = new DataView(data);
  const planes = head.getUint32(4, true);
  if (head.getUint32(0, true) !== MAGIC || HEAD_BYTES + planes * (4 + PIXELS) !== data.byteLength) return undefined;
  const first = HEAD_BYTES + 4 * planes;
  return new Map(
    Array.from({ length: planes }, (_, index) => [
      head.getUint32(HEAD_BYTES + 4 * index, true),
      new Uint8Array(data, first + index * PIXELS, PIXELS),
    ]),
  );
}

/** Lay segments over what is painted already, red, green, blue and alpha a pixel; false when there is nothing to paint. */
export function paint(pixels: Uint8ClampedArray, tile: SegmentTile, segments: readonly SegmentInk[]): boolean {
  let painted = false;
  for (const { number, color, opacity } of segments) {
    const plane = tile.get(number);
    if (!plane || opacity <= 0) continue;
    painted = true;
    const [red, green, blue] = color;
    for (let index = 0; index < plane.length; index += 1) {
      const share = plane[index] ?? 0;
      if (share === 0) continue;
      const at = index * 4;
      const over = (share / 255) * opacity;
      const under = ((pixels[at + 3] ?? 0) / 255) * (1 - over);
      const alpha = over + under;
      pixels[at] = (red * over + (pixels[at] ?? 0) * under) / alpha;
      pixels[at + 1] = (green * over + (pixels[at + 1] ?? 0) * under) / alpha;
      pixels[at + 2] = (blue * over + (pixels[at + 2] ?? 0) * under) / alpha;
      pixels[at + 3] = alpha * 255;
    }
  }
  return painted;
}
