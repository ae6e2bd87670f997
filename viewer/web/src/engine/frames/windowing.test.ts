import { describe, expect, test } from "vitest";
import { fullWindow, greyOf, rangeOf, rounded, windowOf, windowOfFunction, withContrast } from "./windowing";

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

describe("other functions (C.11.2.1.3)", () => {
  test("LINEAR_EXACT goes from end to end of its width, which may be a fraction", () => {
    const narrow = { center: 0.5, width: 0.25, function: "LINEAR_EXACT" } as const;

    expect(rangeOf(narrow)).toEqual({ lower: 0.375, upper: 0.625 });
    expect(windowOf(rangeOf(narrow), "LINEAR_EXACT")).toEqual(narrow);
    expect([0.375, 0.5, 0.5625, 0.7].map((value) => greyOf(value, narrow))).toEqual([0, 127.5, 191.25, 255]);
  });

  test("SIGMOID is at half its way in the center, and at 1 / (1 + e^-2) at the end of its width", () => {
    const sigmoid = { center: 100, width: 50, function: "SIGMOID" } as const;

    expect(greyOf(100, sigmoid)).toBeCloseTo(127.5);
    expect(greyOf(125, sigmoid)).toBeCloseTo(255 / (1 + Math.exp(-2)));
  });

  test("a width below one is a window of these, and none of LINEAR", () => {
    expect(windowOfFunction(0.1, 0.5, "LINEAR_EXACT")).toEqual({ center: 0.1, width: 0.5, function: "LINEAR_EXACT" });
    expect(windowOfFunction(0.1, 0.5, "SIGMOID")?.width).toBe(0.5);
    expect(windowOfFunction(0.1, 0.5, undefined)).toBeUndefined();
    expect(windowOfFunction(0.1, 0, "LINEAR_EXACT")).toBeUndefined();
    expect(windowOfFunction(40, 400, "SOMETHING")).toEqual({ center: 40, width: 400 });
  });

  test("fractions have a full window from end to end, and are told with the decimals that they need", () => {
    const dose = fullWindow(0, 0.0213);

    expect(rangeOf(dose)).toEqual({ lower: 0, upper: 0.0213 });
    expect(rounded(dose)).toEqual({ center: 0.011, width: 0.021, function: "LINEAR_EXACT" });
    expect(withContrast(dose, 0.5).width).toBeCloseTo(0.01065);
  });
});
