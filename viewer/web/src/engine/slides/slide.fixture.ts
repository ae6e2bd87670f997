// For tests: a slide, CMU-1's small region of five octaves, and a place to look from.

import type { Camera } from "./camera";
import type { Octave, Slide } from "./slide";

export const CAMERA: Camera = {
  center: { x: 1000, y: 500 },
  zoom: 0.5,
  degrees: 0,
  mirrored: false,
  width: 800,
  height: 600,
};

const [WIDTH, HEIGHT, TILE] = [2220, 2967, 240] as const;

function octaves(): readonly Octave[] {
  return [0, 1, 2, 3, 4].map((number) => {
    const [width, height] = [Math.ceil(WIDTH / 2 ** number), Math.ceil(HEIGHT / 2 ** number)];
    const [columns, rows] = [Math.ceil(width / TILE), Math.ceil(height / TILE)];
    return { number, width, height, columns, rows, stored: true };
  });
}

export function aSlide(but: Partial<Slide> = {}): Slide {
  return {
    revision: "r1",
    width: WIDTH,
    height: HEIGHT,
    tileWidth: TILE,
    tileHeight: TILE,
    octaves: octaves(),
    mpp: [0.499, 0.499],
    objective: 20,
    focalPlanes: [{ number: 0, microns: 0 }],
    opticalPaths: [{ number: 0, name: "1" }],
    orientation: [0, -1, 0, -1, 0, 0],
    originMm: [25, 50],
    hasIcc: true,
    icc: null,
    tiles: "/api/slides/1.2/1.3/t/r1",
    ...but,
  };
}
