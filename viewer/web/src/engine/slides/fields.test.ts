import { describe, expect, test } from "vitest";
import { type Camera, seenBox } from "./camera";
import { fieldBeside } from "./fields";
import { aSlide, CAMERA } from "./slide.fixture";

const SLIDE = aSlide();
const VIEW: Camera = { ...CAMERA, zoom: 1 };

/** Every field from the first to the last. */
function walked(from: Camera): readonly Camera[] {
  const { count } = fieldBeside(SLIDE, from, 0);
  const all: Camera[] = [{ ...from, center: fieldBeside(SLIDE, from, -count).center }];
  while (all.length < count) {
    const last = all.at(-1) ?? from;
    all.push({ ...last, center: fieldBeside(SLIDE, last, 1).center });
  }
  return all;
}

describe("the walk", () => {
  test.each([
    [0, false],
    [90, false],
    [180, true],
    [270, true],
  ])("shows each place of a slide that is turned by %d (mirrored: %s)", (degrees, mirrored) => {
    const boxes = walked({ ...VIEW, degrees, mirrored }).map(seenBox);

    for (let x = 0; x <= SLIDE.width; x += 37)
      for (let y = 0; y <= SLIDE.height; y += 41)
        expect(boxes.some((box) => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom)).toBe(true);
  });

  test("goes along a row, then down, then back, and one step at a time", () => {
    const numbers = walked(VIEW).map((camera) => fieldBeside(SLIDE, camera, 0).number);
    const steps = walked(VIEW).map(({ center }) => `${Math.round(center.x)} ${Math.round(center.y)}`);

    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(new Set(steps).size).toBe(numbers.length);
    expect(steps[3]?.split(" ")[0]).toBe(steps[4]?.split(" ")[0]);
  });

  test("begins at the top left as it is seen, and stays at its ends", () => {
    const [first] = walked({ ...VIEW, degrees: 180 });
    if (!first) throw new Error("no field");

    expect(first.center.x).toBeGreaterThan(SLIDE.width / 2);
    expect(first.center.y).toBeGreaterThan(SLIDE.height / 2);
    expect(fieldBeside(SLIDE, first, -1).center).toEqual(first.center);
    expect(fieldBeside(SLIDE, first, 999).number).toBe(fieldBeside(SLIDE, first, 0).count);
  });

  test("is one field when the whole slide is seen", () => {
    expect(fieldBeside(SLIDE, { ...VIEW, zoom: 0.01 }, 1)).toMatchObject({ number: 1, count: 1 });
  });
});
