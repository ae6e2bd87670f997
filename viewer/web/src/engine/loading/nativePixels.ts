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

/** Color of 16 bits a sample, little endian, to its eight highest stored bits. */
function from16BitColor(bytes: Uint8Array, pixels: PixelModule): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shift = pixels.bitsStored - 8;
  return Uint8Array.from({ length: bytes.byteLength >> 1 }, (_, sample) => view.getUint16(sample * 2, true) >> shift);
}

/** The same frame in a form that can be drawn; undefined when there is none, so that nothing wrong is shown. */
export function drawable(bytes: Uint8Array, pixels: PixelModule): NativePixels | undefined {
  if (pixels.photometricInterpretation === "YBR_FULL_422" && pixels.bitsAllocated === 8) {
    return { bytes: from422(bytes, pixels), pixels: { ...pixels, ...RGB_8 } };
  }
  if (pixels.bitsAllocated === 1) {
    return { bytes: fromBits(bytes, pixels), pixels: { ...pixels, bitsAllocated: 8, bitsStored: 8, highBit: 7 } };
  }
  if (pixels.samplesPerPixel > 1 && pixels.bitsAllocated === 16 && pixels.bitsStored > 8) {
    const eight = { bitsAllocated: 8, bitsStored: 8, highBit: 7 };
    return { bytes: from16BitColor(bytes, pixels), pixels: { ...pixels, ...eight } };
  }
  return pixels.samplesPerPixel > 1 && pixels.bitsAllocated > 16 ? undefined : { bytes, pixels };
}
