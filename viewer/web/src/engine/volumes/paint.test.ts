import { expect, test } from "vitest";
import { greyOf } from "../frames/windowing";
import { paint } from "./paint";

const WINDOW = { center: 40, width: 400 };

function greys(values: readonly number[], inverted = false): number[] {
  const pixels = new Uint32Array(values.length);
  paint(pixels, Float32Array.from(values), WINDOW, inverted);
  return [...new Uint8Array(pixels.buffer)].filter((_, at) => at % 4 === 0);
}

test("greys are those of the LINEAR window", () => {
  const values = [-1000, -160, -100, 0, 40, 100, 239, 3000];

  const expected = values.map((value) => Math.floor(greyOf(value, WINDOW) + 0.5));

  expect(greys(values)).toEqual(expected);
  expect(greys(values, true)).toEqual(expected.map((grey) => 255 - grey));
});

test("what is not there is black, inverted or not, and opaque", () => {
  expect([greys([Number.NaN]), greys([Number.NaN], true)]).toEqual([[0], [0]]);
  const pixels = new Uint32Array(1);
  paint(pixels, Float32Array.of(0), WINDOW, false);
  expect(new Uint8Array(pixels.buffer)[3]).toBe(255);
});
