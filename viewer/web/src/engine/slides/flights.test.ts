import { describe, expect, test } from "vitest";
import { isFlownPast, octaveFor } from "./flights";
import type { Octave } from "./slide";
import { aSlide } from "./slide.fixture";

const OCTAVES: readonly Octave[] = [0, 1, 2, 3, 4, 5, 6, 7].map((number) => {
  const side = 128 >> number;
  return { number, width: side * 256, height: side * 256, columns: side, rows: side, stored: true };
});
const SLIDE = aSlide({ width: 32768, height: 32768, tileWidth: 256, tileHeight: 256, octaves: OCTAVES });
const SEEN = { left: 10_000, top: 10_000, right: 11_000, bottom: 11_000 };

describe("the octave to ask for", () => {
  test.each([
    [1, 0],
    [4, 0],
    [0.56, 0],
    [0.53, 1],
    [0.5, 1],
    [0.28, 1],
    [0.26, 2],
    [0.001, 7],
  ])("at %d screen pixels per slide pixel is %d", (zoom, octave) => {
    expect(octaveFor(OCTAVES, zoom)).toBe(octave);
  });
});

describe("a tile on its way", () => {
  test("is waited for when it is seen, or nearly", () => {
    expect(isFlownPast(SLIDE, { octave: 0, column: 40, row: 40 }, SEEN, 1, false)).toBe(false);
    expect(isFlownPast(SLIDE, { octave: 0, column: 43, row: 40 }, SEEN, 1, false)).toBe(false);
  });

  test.each([
    { octave: 0, column: 10, row: 40 },
    { octave: 0, column: 60, row: 40 },
    { octave: 0, column: 40, row: 10 },
    { octave: 0, column: 40, row: 60 },
  ])("is given up when it was flown past (%j)", (place) => {
    expect(isFlownPast(SLIDE, place, SEEN, 1, false)).toBe(true);
  });

  test("is given up when one went far away from it", () => {
    expect(isFlownPast(SLIDE, { octave: 0, column: 40, row: 40 }, SEEN, 0.25, false)).toBe(true);
    expect(isFlownPast(SLIDE, { octave: 1, column: 20, row: 20 }, SEEN, 0.25, false)).toBe(false);
  });

  test("of a magnification that one goes through is given up, and waited for where one stays", () => {
    const place = { octave: 1, column: 20, row: 20 };

    expect(isFlownPast(SLIDE, place, SEEN, 1, true)).toBe(true);
    expect(isFlownPast(SLIDE, place, SEEN, 1, false)).toBe(false);
    expect(isFlownPast(SLIDE, place, SEEN, 0.5, true)).toBe(false);
  });

  test("of the few coarse ones is never given up", () => {
    expect(isFlownPast(SLIDE, { octave: 5, column: 3, row: 3 }, SEEN, 1, false)).toBe(false);
    expect(isFlownPast(SLIDE, { octave: 7, column: 0, row: 0 }, SEEN, 1, false)).toBe(false);
  });
});
