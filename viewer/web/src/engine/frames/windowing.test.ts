import { describe, expect, test } from "vitest";
import { fullWindow, greyOf, rangeOf, rounded, windowOf, withContrast } from "./windowing";

describe("a linear window", () => {
  const abdomen = { center: 40, width: 400 };

  test("is black at and below its lower end and white above its upper one (C.11.2.1.2.1)", () => {
    expect(rangeOf(abdomen)).toEqual({ lower: -160, upper: 239 });
    expect(greyOf(-160, abdomen)).toBe(0);
    expect(greyOf(239.5, abdomen)).toBe(255);
  });

  test("gives the standard's grey in between", () => {
    expect(greyOf(39.5, abdomen)).toBeCloseTo(127.5, 6);
    expect(greyOf(139.25, abdomen)).toBeCloseTo(191.25, 6);
  });

  test("of width one is a threshold", () => {
    expect(greyOf(99, { center: 100, width: 1 })).toBe(0);
    expect(greyOf(100, { center: 100, width: 1 })).toBe(255);
  });

  test.each([abdomen, { center: -600, width: 1500 }, { center: 128, width: 256 }, { center: 0.5, width: 1 }])(
    "is the same after becoming a range and back: %o",
    (window) => {
      expect(windowOf(rangeOf(window))).toEqual(window);
    },
  );
});

test("a full window tells every value apart", () => {
  const window = fullWindow(-1024, 3071);

  expect(window.width).toBe(4096);
  expect(greyOf(-1024, window)).toBe(0);
  expect(greyOf(3071, window)).toBeCloseTo(255, 6);
});

test("an image of one value has a window all the same", () => {
  expect(fullWindow(7, 7).width).toBe(1);
});

test("contrast keeps the center, and the width never vanishes", () => {
  expect(withContrast({ center: 40, width: 80 }, 0.5)).toEqual({ center: 40, width: 40 });
  expect(withContrast({ center: 40, width: 1 }, 0.5).width).toBe(1);
});

test("numbers on screen are whole, unless the window is narrow", () => {
  expect(rounded({ center: 40.4999, width: 400.2 })).toEqual({ center: 40, width: 400 });
  expect(rounded({ center: 0.123, width: 2.57 })).toEqual({ center: 0.1, width: 2.6 });
});
