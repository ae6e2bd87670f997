import { expect, test } from "vitest";
import { beyond, tilesAround, tilesIn } from "./around";
import { aSlide } from "./slide.fixture";

const PART = { left: 200, top: 470, right: 490, bottom: 730 };

test("the tiles of a part are those that it touches, at the magnification's own octave", () => {
  const places = tilesIn(aSlide(), PART, 1).map(({ column, row }) => `${column} ${row}`);

  expect(places).toEqual(["0 1", "1 1", "2 1", "0 2", "1 2", "2 2", "0 3", "1 3", "2 3"]);
  expect(tilesIn(aSlide(), PART, 0.25)).toEqual([{ octave: 2, column: 0, row: 0 }]);
});

test("beyond the slide there are none", () => {
  expect(tilesIn(aSlide(), { left: 9000, top: 0, right: 9500, bottom: 100 }, 1)).toEqual([]);
  expect(tilesIn(aSlide(), { left: -500, top: -500, right: -1, bottom: -1 }, 1)).toEqual([]);
});

test("around it are those beside it, where the way leads first", () => {
  const slide = aSlide();
  const around = beyond(tilesIn(slide, PART, 1), tilesAround(slide, PART, 1, { x: 700, y: 500 }));

  const places = around.map(({ column, row }) => `${column} ${row}`);
  expect(places[0]).toBe("3 2");
  const above = ["0 0", "1 0", "2 0", "3 0"];
  const below = ["0 4", "1 4", "2 4", "3 4"];
  expect(new Set(places)).toEqual(new Set([...above, "3 1", "3 2", "3 3", ...below]));
});
