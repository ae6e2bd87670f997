import { expect, test } from "vitest";
import { tileCover, tileOctave } from "./cover";
import { aSlide, CAMERA } from "./slide.fixture";

test("the octave is the one whose pixels are nearest to the screen's", () => {
  expect([8, 1, 0.75, 0.6, 0.25, 1e-9].map(tileOctave)).toEqual([0, 0, 0, 1, 2, 20]);
});

test("the tiles cover what is seen of the slide, the middle first", () => {
  const camera = { ...CAMERA, zoom: 1, center: { x: 1500, y: 1000 } };

  const cover = tileCover(aSlide(), camera);

  expect(cover[0]).toEqual({ octave: 0, column: 1, row: 0 });
  expect(cover.map(({ column, row }) => `${column} ${row}`).sort()).toEqual(["1 0", "1 1"]);
});

test("there are none beside the slide, and few however far one is away", () => {
  expect(tileCover(aSlide(), { ...CAMERA, zoom: 1, center: { x: -5000, y: 0 } })).toEqual([]);
  expect(tileCover(aSlide(), { ...CAMERA, zoom: 0.001 })).toHaveLength(1);
});
