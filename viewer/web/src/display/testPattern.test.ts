import { describe, expect, test } from "vitest";
import { paint, STEP_LEVELS, stepsOf } from "./testPattern";

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

  test("is painted in any window", () => {
    for (const [width, height] of [
      [390, 844],
      [200, 150],
      [3840, 2160],
    ] as const)
      expect(paint(width, height)).toHaveLength(width * height);
  });
});
