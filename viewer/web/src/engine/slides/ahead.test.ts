import { expect, test, vi } from "vitest";
import { Ahead, tilesIn } from "./ahead";
import { aSlide } from "./slide.fixture";

test("the tiles of a part are those that it touches, at the magnification's own octave", () => {
  const box = { left: 200, top: 470, right: 490, bottom: 730 };

  const places = tilesIn(aSlide(), box, 1).map(({ column, row }) => `${column} ${row}`);

  expect(places).toEqual(["0 1", "1 1", "2 1", "0 2", "1 2", "2 2", "0 3", "1 3", "2 3"]);
  expect(tilesIn(aSlide(), box, 0.25)).toEqual([{ octave: 2, column: 0, row: 0 }]);
});

test("beyond the slide there are none", () => {
  expect(tilesIn(aSlide(), { left: 9000, top: 0, right: 9500, bottom: 100 }, 1)).toEqual([]);
  expect(tilesIn(aSlide(), { left: -500, top: -500, right: -1, bottom: -1 }, 1)).toEqual([]);
});

test("a few are asked for at a time, and none after it was told to stop", async () => {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    return new Promise((done) => answers.push(() => done(new Response())));
  });
  const ahead = new Ahead();

  ahead.fetch(["1", "2", "3", "4", "5", "6"]);
  expect(asked).toEqual(["1", "2", "3", "4"]);
  answers[0]?.();
  await vi.waitFor(() => expect(asked).toEqual(["1", "2", "3", "4", "5"]));
  ahead.stop();
  for (const answer of answers) answer();
  await new Promise((later) => setTimeout(later));

  expect(asked).toHaveLength(5);
  vi.unstubAllGlobals();
});
