import { describe, expect, test } from "vitest";
import type { PixelModule } from "../frames/frame";
import { drawable } from "./nativePixels";

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

  test("of 32 bit color are none, rather than wrong", () => {
    expect(drawable(new Uint8Array(24), pixels({ bitsAllocated: 32, bitsStored: 32 }))).toBeUndefined();
  });

  test("of everything else are as they were", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6);

    expect(drawable(bytes, pixels({}))?.bytes).toBe(bytes);
  });
});
