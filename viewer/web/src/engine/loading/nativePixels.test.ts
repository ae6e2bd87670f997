import { describe, expect, test } from "vitest";
import type { PixelModule } from "../frames/frame";
import { drawable, storedValues } from "./nativePixels";

function pixels(changes: Partial<PixelModule>): PixelModule {
  return {
    rows: 1,
    columns: 2,
    samplesPerPixel: 3,
    photometricInterpretation: "RGB",
    planarConfiguration: 0,
    bitsAllocated: 8,
    bitsStored: 8,
    highBit: 7,
    pixelRepresentation: 0,
    isFloat: false,
    palette: undefined,
    ...changes,
  };
}

describe("pixels made drawable", () => {
  test("of YBR_FULL_422 become RGB, two pixels sharing their color", () => {
    const made = drawable(Uint8Array.of(76, 150, 85, 255), pixels({ photometricInterpretation: "YBR_FULL_422" }));

    expect(made?.pixels).toMatchObject({ photometricInterpretation: "RGB", bitsAllocated: 8 });
    expect([...(made?.bytes ?? [])]).toEqual([254, 0, 0, 255, 74, 74]);
  });

  test("of grey YBR_FULL_422 stay grey", () => {
    const made = drawable(Uint8Array.of(7, 200, 128, 128), pixels({ photometricInterpretation: "YBR_FULL_422" }));

    expect([...(made?.bytes ?? [])]).toEqual([7, 7, 7, 200, 200, 200]);
  });

  test("of one bit become a byte each, the least significant bit first", () => {
    const mask = pixels({ rows: 2, columns: 5, samplesPerPixel: 1, bitsAllocated: 1, bitsStored: 1 });

    const made = drawable(Uint8Array.of(0b10000011, 0b10), mask);

    expect([...(made?.bytes ?? [])]).toEqual([1, 1, 0, 0, 0, 0, 0, 1, 0, 1]);
    expect(made?.pixels.bitsAllocated).toBe(8);
  });

  test("of 16 bit color keep their highest stored bits", () => {
    const made = drawable(
      Uint8Array.of(0xff, 0x0f, 0x00, 0x08, 0x10, 0x00),
      pixels({ bitsAllocated: 16, bitsStored: 12 }),
    );

    expect([...(made?.bytes ?? [])]).toEqual([255, 128, 1]);
  });

  test("of 32 bit color keep their highest stored bits, too", () => {
    const made = drawable(
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x80, 1, 0, 0, 0),
      pixels({ bitsAllocated: 32, bitsStored: 32 }),
    );

    expect([...(made?.bytes ?? [])]).toEqual([255, 128, 0]);
  });

  test("of 64 bit color are none, rather than wrong", () => {
    expect(drawable(new Uint8Array(48), pixels({ bitsAllocated: 64, bitsStored: 64 }))).toBeUndefined();
  });

  test("of everything else are as they were", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6);

    expect(drawable(bytes, pixels({}))?.bytes).toBe(bytes);
  });
});

describe("stored values", () => {
  const grey = { rows: 1, columns: 1, samplesPerPixel: 1, photometricInterpretation: "MONOCHROME2" };
  const buffer = (set: (view: DataView) => void) => {
    const view = new DataView(new ArrayBuffer(8));
    set(view);
    return new Uint8Array(view.buffer);
  };

  test.each([
    ["32 bits", { bitsAllocated: 32, bitsStored: 32 }, buffer((view) => view.setUint32(0, 4e9, true)), 4e9],
    [
      "32 bits, signed",
      { bitsAllocated: 32, bitsStored: 32, pixelRepresentation: 1 },
      buffer((view) => view.setInt32(0, -7, true)),
      -7,
    ],
    ["float", { bitsAllocated: 32, bitsStored: 32, isFloat: true }, buffer((v) => v.setFloat32(0, 0.5, true)), 0.5],
    ["double", { bitsAllocated: 64, bitsStored: 64, isFloat: true }, buffer((v) => v.setFloat64(0, 0.1, true)), 0.1],
    ["12 of 16 bits, an overlay above", { bitsAllocated: 16, bitsStored: 12 }, Uint8Array.of(0x34, 0xf2), 0x234],
    [
      "12 of 16 bits, signed",
      { bitsAllocated: 16, bitsStored: 12, pixelRepresentation: 1 },
      Uint8Array.of(0xff, 0x0f),
      -1,
    ],
  ])("of %s", (_, changes, bytes, value) => {
    expect([...(storedValues(bytes, pixels({ ...grey, ...changes })) ?? [])]).toEqual([value]);
  });

  test("are none when they are too few, or of a size that is no number's", () => {
    expect(storedValues(new Uint8Array(3), pixels({ ...grey, bitsAllocated: 32 }))).toBeUndefined();
    expect(storedValues(new Uint8Array(8), pixels({ ...grey, bitsAllocated: 64 }))).toBeUndefined();
  });
});
