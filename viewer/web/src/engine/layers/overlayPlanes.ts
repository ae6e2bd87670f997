// Overlay planes (PS3.3 C.9.2, groups 60xx): one bit a pixel, drawn over the image that carries them. Pure.
//
// Only those with data of their own; the retired kind in unused bits of the pixels is not shown.

import { inlineBytes, type JsonDataSet, number, numbers, text } from "../frames/dicomJson";

export interface OverlayPlane {
  /** Names the plane within its instance: 6000, 6002... */
  readonly group: string;
  readonly rows: number;
  readonly columns: number;
  /** Where its first pixel is on the image, from zero; may be negative. */
  readonly row: number;
  readonly column: number;
  /** The image frames that it is for, from one: the first, and how many. */
  readonly firstFrame: number;
  readonly frames: number;
  readonly data: Uint8Array | undefined;
  /** Where its bytes are, when they are too many for the metadata. */
  readonly url: string | undefined;
}

const GROUPS = Array.from({ length: 16 }, (_, index) => (0x6000 + index * 2).toString(16));
const SIDE_MAX = 8192;

function planeOf(instance: JsonDataSet, group: string): OverlayPlane | undefined {
  const rows = number(instance, `${group}0010`);
  const columns = number(instance, `${group}0011`);
  const bulk = instance[`${group}3000`]?.BulkDataURI;
  const data = inlineBytes(instance, `${group}3000`);
  if (!rows || !columns || rows > SIDE_MAX || columns > SIDE_MAX || !(data || bulk)) return undefined;
  if ((number(instance, `${group}0100`) ?? 1) !== 1) return undefined;
  const [row = 1, column = 1] = numbers(instance, `${group}0050`);
  const frames = number(instance, `${group}0015`) ?? number(instance, "00280008") ?? 1;
  const firstFrame = number(instance, `${group}0051`) ?? 1;
  return { group, rows, columns, row: row - 1, column: column - 1, firstFrame, frames, data, url: bulk };
}

export function overlayPlanesOf(instance: JsonDataSet): readonly OverlayPlane[] {
  if (!text(instance, "00080018")) return [];
  return GROUPS.flatMap((group) => planeOf(instance, group) ?? []);
}

/** The bits of one frame of a plane, a byte each; the least significant bit of a byte comes first (PS3.5 8.1.1). */
export function bitsOf(bytes: Uint8Array, pixels: number, frame = 0): Uint8Array {
  const from = frame * pixels;
  return Uint8Array.from({ length: pixels }, (_, at) => ((bytes[(from + at) >> 3] ?? 0) >> ((from + at) & 7)) & 1);
}
