// A color profile that is too long to be in every tile: fetched once, and put into each of them here, so that the browser
// converts colors as it does with a short one.

import { type Decode, decoded, ProfileUnreachable } from "./fetchTile";
import type { Slide } from "./slide";

const NAME = [...new TextEncoder().encode("ICC_PROFILE"), 0];
/** Of a profile in one segment: its length counts itself, the name, and two numbers. */
export const PIECE_BYTES_MAX = 0xffff - 2 - NAME.length - 2;
const PIECES_MAX = 255;

/** The segments of a JPEG that hold a profile (ICC.1 B.4); nothing of one that does not fit. */
export function profileSegments(profile: Uint8Array<ArrayBuffer>): Blob {
  const count = Math.ceil(profile.length / PIECE_BYTES_MAX);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let number = 1; number <= count && count <= PIECES_MAX; number += 1) {
    const piece = profile.subarray((number - 1) * PIECE_BYTES_MAX, number * PIECE_BYTES_MAX);
    const length = 2 + NAME.length + 2 + piece.length;
    parts.push(new Uint8Array([0xff, 0xe2, length >> 8, length & 0xff, ...NAME, number, count]), piece);
  }
  return new Blob(parts);
}

/** A tile with these segments behind its first marker. */
function withSegments(tile: Blob, segments: Blob): Blob {
  return new Blob([tile.slice(0, 2), segments, tile.slice(2)], { type: tile.type });
}

async function fetched(url: string): Promise<Blob> {
  try {
    const response = await fetch(url, { credentials: "same-origin" });
    if (response.ok) return profileSegments(new Uint8Array(await response.arrayBuffer()));
  } catch {
    // The line: as if it had been refused.
  }
  throw new ProfileUnreachable();
}

/** What decodes the tiles of a slide: with its profile, wherever that is kept. */
export function decoderOf(slide: Slide, decode: Decode = decoded): Decode {
  const { icc } = slide;
  if (icc === null) return decode;
  let segments: Promise<Blob> | undefined;
  return async (tile, options) => {
    if (options.colorSpaceConversion === "none") return decode(tile, options);
    segments ??= fetched(icc);
    try {
      return await decode(withSegments(tile, await segments), options);
    } catch (error) {
      // The next tile asks for it again.
      if (error instanceof ProfileUnreachable) segments = undefined;
      throw error;
    }
  };
}
