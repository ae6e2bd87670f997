import { describe, expect, test } from "vitest";
import { firstLayer, pathAfter, planeBeside, tileUrl } from "./slide";
import { aSlide } from "./slide.fixture";

const STACK = aSlide({
  focalPlanes: [
    { number: 0, microns: 4 },
    { number: 1, microns: 0 },
    { number: 2, microns: 2 },
  ],
  opticalPaths: [
    { number: 3, name: "DAPI" },
    { number: 5, name: "FITC" },
  ],
});

describe("layers", () => {
  test("begin with the first path and the plane in the middle", () => {
    expect(firstLayer(STACK)).toEqual({ opticalPath: 3, focalPlane: 2, managed: true });
  });

  test("are stepped through by their height, and end where the stack does", () => {
    expect(planeBeside(STACK, 2, 1)).toBe(0);
    expect(planeBeside(STACK, 2, -1)).toBe(1);
    expect(planeBeside(STACK, 0, 1)).toBe(0);
  });

  test("of several paths come round", () => {
    expect(pathAfter(STACK, 3)).toBe(5);
    expect(pathAfter(STACK, 5)).toBe(3);
  });

  test("have tiles at addresses of their own", () => {
    const place = { octave: 2, column: 7, row: 1 };

    expect(tileUrl(STACK, { opticalPath: 3, focalPlane: 1, managed: true }, place)).toBe(
      "/api/slides/1.2/1.3/t/r1/3/1/2/7_1",
    );
  });
});
