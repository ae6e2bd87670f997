import { expect, test } from "vitest";
import { BRIGHT, isPlain, lineOf, PLAIN, shifted, valuesOf, WIDTH_MIN } from "./contrast";

test("the plain window changes nothing", () => {
  expect(lineOf(PLAIN)).toEqual({ slope: 1, intercept: 0 });
  expect(isPlain(PLAIN)).toBe(true);
  expect(isPlain(BRIGHT)).toBe(false);
});

test("a window's lower end is black and its upper end white", () => {
  const { slope, intercept } = lineOf({ level: 30, width: 20 });

  expect(slope * 0.2 + intercept).toBeCloseTo(0);
  expect(slope * 0.4 + intercept).toBeCloseTo(1);
});

test("a window is the values that it shows", () => {
  expect(valuesOf(PLAIN)).toEqual([0, 1]);
  expect(valuesOf({ level: 30, width: 20 })).toEqual([0.2, 0.4]);
});

test("a window stays within what can be shown, and never has no width", () => {
  expect(shifted(PLAIN, { level: 80, width: 80 })).toEqual({ level: 100, width: 100 });
  expect(shifted(PLAIN, { level: -80, width: -300 })).toEqual({ level: 0, width: WIDTH_MIN });
});
