// Uncompressed pixels that the renderer cannot draw as they are stored, made into ones that it can. Pure.

import type { PixelModule } from "../frames/frame";

export interface NativePixels {
  readonly bytes: Uint8Array;
  readonly pixels: PixelModule;
}

const RGB_8: Partial<PixelModule> = {
  photometricInterpretation: "RGB",
  samplesPerPixel: 3,
  planarConfiguration: 0,
  bitsAllocated: 8,
  bitsStored: 8,
  highBit: 7,
};

function clamp(value: number): number {
  return Math.min(Math.max(Math.round(value), 0), 255);
}

/** YBR_FULL_422 (PS3.3 C.7.6.3.1.2): Y Y Cb Cr for two pixels of a row; to RGB by the inverse of YBR_FULL. */
function from422(bytes: Uint8Array, pixels: PixelModule): Uint8Array {
  const rgb = new Uint8Array(pixels.rows * pixels.columns * 3);
  for (let pair = 0; pair * 2 < pixels.rows * pixels.columns; pair += 1) {
    const [first = 0, second = 0, cb = 128, cr = 128] = bytes.subarray(pair * 4, pair * 4 + 4);
    const red = 1.402 * (cr - 128);
    const green = -0.344136 * (cb - 128) - 0.714136 * (cr - 128);
    const blue = 1.772 * (cb - 128);
    rgb.set(
      [first + red, first + green, first + blue, second + red, second + green, second + blue].map(clamp),
      pair * 6,
    );
  }
  return rgb;
}

/** Bit-packed pixels, the least significant bit first (PS3.5 8.1.1), to a byte each. */
function fromBits(bytes: Uint8Array, pixels: PixelModule): Uint8Array {
  return Uint8Array.from(
    { length: pixels.rows * pixels.columns },
    (_, place) => ((bytes[place >> 3] ?? 0) >> (place & 7)) & 1,
  );
}

/** Color of 16 or 32 bits a sample, little endian, to its eight highest stored bits. */
function fromWideColor(bytes: Uint8Array, { bitsAllocated, bitsStored }: PixelModule): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bitsAllocated / 8;
  const sample = size === 2 ? (at: number) => view.getUint16(at, true) : (at: number) => view.getUint32(at, true);
  return Uint8Array.from(
    { length: Math.floor(bytes.byteLength / size) },
    (_, at) => sample(at * size) >>> (bitsStored - 8),
  );
}

const READERS: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  u8: (view, at) => view.getUint8(at),
  i8: (view, at) => view.getInt8(at),
  u16: (view, at) => view.getUint16(at, true),
  i16: (view, at) => view.getInt16(at, true),
  u32: (view, at) => view.getUint32(at, true),
  i32: (view, at) => view.getInt32(at, true),
  f32: (view, at) => view.getFloat32(at, true),
  f64: (view, at) => view.getFloat64(at, true),
};

/** Stored values of uncompressed grey of whole bytes, without what is above the stored bits; undefined of other sizes. */
export function storedValues(bytes: Uint8Array, pixels: PixelModule): Float64Array | undefined {
  const { rows, columns, bitsAllocated, bitsStored, isFloat } = pixels;
  const signed = pixels.pixelRepresentation === 1;
  const read = READERS[`${isFloat ? "f" : signed ? "i" : "u"}${bitsAllocated}`];
  const size = bitsAllocated / 8;
  if (!read || bytes.byteLength < rows * columns * size) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unused = isFloat ? 0 : 32 - bitsStored;
  const cut = (value: number) => (signed ? (value << unused) >> unused : (value << unused) >>> unused);
  const values = new Float64Array(rows * columns);
  for (let at = 0; at < values.length; at += 1) {
    const value = read(view, at * size);
    values[at] = unused > 0 ? cut(value) : value;
  }
  return values;
}

/** The same frame in a form that can be drawn; undefined when there is none, so that nothing wrong is shown. */
export function drawable(bytes: Uint8Array, pixels: PixelModule): NativePixels | undefined {
  if (pixels.photometricInterpretation === "YBR_FULL_422" && pixels.bitsAllocated === 8) {
    return { bytes: from422(bytes, pixels), pixels: { ...pixels, ...RGB_8 } };
  }
  if (pixels.bitsAllocated === 1) {
    return { bytes: fromBits(bytes, pixels), pixels: { ...pixels, bitsAllocated: 8, bitsStored: 8, highBit: 7 } };
  }
  const isWide = pixels.bitsAllocated === 16 || pixels.bitsAllocated === 32;
  if (pixels.samplesPerPixel > 1 && isWide && pixels.bitsStored > 8) {
    const eight = { bitsAllocated: 8, bitsStored: 8, highBit: 7 };
    return { bytes: fromWideColor(bytes, pixels), pixels: { ...pixels, ...eight } };
  }
  return pixels.samplesPerPixel > 1 && pixels.bitsAllocated > 16 ? undefined : { bytes, pixels };
}
