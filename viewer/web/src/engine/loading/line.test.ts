import { expect, test } from "vitest";
import { Line } from "./line";

test("a line is thin until it was seen to be fast", () => {
  const line = new Line();
  expect(line.isThin).toBe(true);

  line.note(512 * 1024, 60);
  expect(line.isThin).toBe(false);
});

test("a line of 2 Mbit/s is thin, and one that becomes slow is after a few answers", () => {
  const line = new Line();
  line.note(512 * 1024, 60);

  for (let answer = 0; answer < 8; answer += 1) line.note(16 * 1024, 64);

  expect(line.isThin).toBe(true);
});

test("answers of a few bytes tell nothing of the line", () => {
  const line = new Line();
  line.note(512 * 1024, 60);

  for (let answer = 0; answer < 20; answer += 1) line.note(200, 80);

  expect(line.isThin).toBe(false);
});
