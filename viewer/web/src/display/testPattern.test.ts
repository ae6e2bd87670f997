import { describe, expect, test } from "vitest";
import { paint, rulerPixels, STEP_LEVELS, stepsOf } from "./testPattern";

const [WIDTH, HEIGHT] = [1366, 700];

describe("the test pattern", () => {
  const levels = paint(WIDTH, HEIGHT);
  const at = (x: number, y: number) => levels[y * WIDTH + x];

  test("has eighteen steps from black to white, each its level in the middle and fainter squares in its corners", () => {
    const steps = stepsOf(WIDTH, HEIGHT);
    expect(STEP_LEVELS).toHaveLength(18);
    for (const { x, y, width, height, level } of steps) {
      expect(at(x + (width >> 1), y + (height >> 1))).toBe(level);
      expect(at(x, y)).toBe(Math.min(level + 4, 255));
      expect(at(x + width - 1, y + height - 1)).toBe(Math.max(level - 4, 0));
    }
  });

  test("has a white frame on the outermost pixels and lines of one pixel in the corners", () => {
    for (const [x, y] of [
      [0, 0],
      [WIDTH - 1, 0],
      [0, HEIGHT - 1],
      [WIDTH - 1, HEIGHT - 1],
    ] as const)
      expect(at(x, y)).toBe(255);
    expect([4, 5, 6, 7].map((y) => at(10, y))).toEqual([0, 255, 0, 255]);
  });

  test("has a white line of the length that is told, with a mark at each tenth", () => {
    const left = (WIDTH - 800) / 2;
    const rows = Array.from({ length: HEIGHT }, (_, y) => y).filter((y) => {
      return levels.subarray(y * WIDTH + left, y * WIDTH + left + 800).every((level) => level === 255);
    });
    const [row = 0] = rows.filter((y) => y > HEIGHT / 2 && y < HEIGHT - 1);

    expect([rulerPixels(WIDTH), rulerPixels(390), rulerPixels(90)]).toEqual([800, 300, 0]);
    expect([at(left - 1, row), at(left + 800, row)]).toEqual([128, 128]);
    const marks = Array.from({ length: 800 }, (_, x) => x).filter((x) => at(left + x, row - 2) === 255);
    expect(marks).toEqual([0, 80, 160, 240, 320, 400, 479, 559, 639, 719, 799]);
  });

  test("is painted in any window", () => {
    for (const [width, height] of [
      [390, 844],
      [200, 150],
      [3840, 2160],
    ] as const)
      expect(paint(width, height)).toHaveLength(width * height);
  });
});
