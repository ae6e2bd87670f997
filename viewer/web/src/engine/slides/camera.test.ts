import { describe, expect, test } from "vitest";
import { isOnGrid, matrixOf, onGrid, seenBox, toScreen, toSlide } from "./camera";
import { CAMERA } from "./slide.fixture";

describe("a place on the screen", () => {
  test("is the middle for what one looks at, however turned", () => {
    for (const degrees of [0, 90, 180, 33])
      for (const mirrored of [false, true]) {
        const middle = toScreen({ ...CAMERA, degrees, mirrored }, CAMERA.center);
        expect(middle.left).toBeCloseTo(400, 9);
        expect(middle.top).toBeCloseTo(300, 9);
      }
  });

  test.each([
    [0, false, 450, 300],
    [90, false, 400, 350],
    [180, false, 350, 300],
    [0, true, 350, 300],
    [90, true, 400, 350],
  ])("of a hundred slide pixels to the right, turned %d, mirrored %s", (degrees, mirrored, left, top) => {
    const place = toScreen({ ...CAMERA, degrees, mirrored }, { x: 1100, y: 500 });

    expect(place.left).toBeCloseTo(left, 9);
    expect(place.top).toBeCloseTo(top, 9);
  });

  test("leads back to its place on the slide", () => {
    for (const degrees of [0, 17, 90, 270])
      for (const mirrored of [false, true]) {
        const camera = { ...CAMERA, degrees, mirrored };
        const back = toSlide(camera, toScreen(camera, { x: 12.5, y: 777 }));
        expect(back.x).toBeCloseTo(12.5, 6);
        expect(back.y).toBeCloseTo(777, 6);
      }
  });

  test("is what the matrix of a drawing says", () => {
    const camera = { ...CAMERA, degrees: 30, mirrored: true };
    const [a, b, c, d, e, f] = matrixOf(camera);

    const place = toScreen(camera, { x: 3, y: 4 });

    expect([a * 3 + c * 4 + e, b * 3 + d * 4 + f]).toEqual([place.left, place.top]);
  });
});

test("what the screen shows is a box of the slide, wider when it is turned", () => {
  expect(seenBox(CAMERA)).toEqual({ left: 200, top: -100, right: 1800, bottom: 1100 });
  const turned = seenBox({ ...CAMERA, degrees: 90 });
  expect(turned.right - turned.left).toBeCloseTo(1200, 6);
  expect(turned.bottom - turned.top).toBeCloseTo(1600, 6);
});

describe("the grid of pixels", () => {
  const odd = { ...CAMERA, zoom: 1, center: { x: 1000.3, y: 500.3 }, width: 801, height: 600 };

  test.each([0, 90, 180, 270])("is met by a center that is moved by less than a pixel, turned %d", (degrees) => {
    const camera = { ...odd, degrees };

    const center = onGrid(camera);

    expect(Math.hypot(center.x - camera.center.x, center.y - camera.center.y)).toBeLessThan(0.71);
    expect(isOnGrid({ ...camera, center })).toBe(true);
    const corner = toScreen({ ...camera, center }, { x: 10, y: 20 });
    expect(Math.abs(corner.left - Math.round(corner.left))).toBeLessThan(1e-6);
    expect(Math.abs(corner.top - Math.round(corner.top))).toBeLessThan(1e-6);
  });

  test("is missed between pixels, askew, or at another zoom", () => {
    const met = { ...odd, center: onGrid(odd) };

    expect(isOnGrid(odd)).toBe(false);
    expect(isOnGrid({ ...met, degrees: 3 })).toBe(false);
    expect(isOnGrid({ ...met, zoom: 1.01 })).toBe(false);
  });
});
