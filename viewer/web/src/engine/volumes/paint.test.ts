import { expect, test } from "vitest";
import { greyOf, type VoiWindow } from "../frames/windowing";
import { paint, type ShownBy } from "./paint";

const WINDOW = { center: 40, width: 400 };
const BY_WINDOW: ShownBy = { window: WINDOW, lookup: undefined };

function greys(values: readonly number[], inverted = false, shownBy = BY_WINDOW): number[] {
  const pixels = new Uint32Array(values.length);
  paint(pixels, Float32Array.from(values), shownBy, inverted);
  return [...new Uint8Array(pixels.buffer)].filter((_, at) => at % 4 === 0);
}

test("greys are those of the LINEAR window", () => {
  const values = [-1000, -160, -100, 0, 40, 100, 239, 3000];

  const expected = values.map((value) => Math.floor(greyOf(value, WINDOW) + 0.5));

  expect(greys(values)).toEqual(expected);
  expect(greys(values, true)).toEqual(expected.map((grey) => 255 - grey));
});

test.each([
  { center: 40, width: 400, function: "SIGMOID" },
  { center: 0.5, width: 0.01, function: "SIGMOID" },
] satisfies VoiWindow[])("greys are those of a SIGMOID window, to a level: %o", (window) => {
  const values = Array.from({ length: 200 }, (_, at) => window.center + ((at - 100) / 30) * window.width);
  const shownBy = { window, lookup: undefined };

  const off = greys(values, false, shownBy).map((grey, at) => Math.abs(grey - greyOf(values[at] ?? 0, window)));

  expect(Math.max(...off)).toBeLessThanOrEqual(1);
  expect(greys(values, true, shownBy)).toEqual(greys(values, false, shownBy).map((grey) => 255 - grey));
});

test("greys are those of a table, which holds until its next entry", () => {
  const lookup = { first: -1, bits: 10, entries: Uint16Array.of(1023, 0, 512) };

  expect(greys([-9, -1, -0.5, 0, 0.9, 1, 50], false, { window: WINDOW, lookup })).toEqual([
    255, 255, 255, 0, 0, 128, 128,
  ]);
});

test("a table of one entry makes everything alike", () => {
  const lookup = { first: 7, bits: 8, entries: Uint16Array.of(51) };

  expect(greys([0, 7, 99], false, { window: WINDOW, lookup })).toEqual([51, 51, 51]);
});

test("what is not there is black, inverted or not, and opaque", () => {
  const lookup = { first: 0, bits: 8, entries: Uint16Array.of(200, 100) };

  expect([greys([Number.NaN]), greys([Number.NaN], true)]).toEqual([[0], [0]]);
  expect(greys([Number.NaN, -5], false, { window: WINDOW, lookup })).toEqual([0, 200]);
  const pixels = new Uint32Array(1);
  paint(pixels, Float32Array.of(0), BY_WINDOW, false);
  expect(new Uint8Array(pixels.buffer)[3]).toBe(255);
});
