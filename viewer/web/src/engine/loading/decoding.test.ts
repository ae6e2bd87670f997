import { expect, test } from "vitest";
import type { PixelModule } from "../frames/frame";
import { isMisread, wantsDecoded } from "./decoding";

const GREY = { samplesPerPixel: 1, photometricInterpretation: "MONOCHROME2", bitsAllocated: 16, bitsStored: 12 };
const RGB = { samplesPerPixel: 3, photometricInterpretation: "RGB", bitsAllocated: 8, bitsStored: 8 };
const of = (pixels: object) => ({ isFloat: false, ...pixels }) as PixelModule;

test.each([
  ["grey of twelve bits", GREY, false],
  ["color of eight bits", RGB, false],
  ["color of sixteen bits", { ...RGB, bitsAllocated: 16, bitsStored: 16 }, true],
  ["a dose's grid", { ...GREY, bitsAllocated: 32, bitsStored: 32 }, true],
  ["a mask", { ...GREY, bitsAllocated: 1, bitsStored: 1 }, true],
  ["floating point numbers", { ...GREY, isFloat: true }, true],
])("the server decodes %s or not", (_, pixels, wanted) => {
  expect(wantsDecoded(of(pixels))).toBe(wanted);
});

test("JPEG of twelve bits, and of RGB, is decoded by the server", () => {
  expect(isMisread(of(GREY), "1.2.840.10008.1.2.4.51")).toBe(true);
  expect(isMisread(of(RGB), "1.2.840.10008.1.2.4.50")).toBe(true);
  expect(isMisread(of({ ...RGB, photometricInterpretation: "YBR_FULL_422" }), "1.2.840.10008.1.2.4.50")).toBe(false);
  expect(isMisread(of(GREY), "1.2.840.10008.1.2.4.50")).toBe(false);
});
