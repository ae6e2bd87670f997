import { expect, test } from "vitest";
import { Pace } from "./pace";

function paceOf(...tookMs: readonly number[]): Pace {
  const pace = new Pace();
  for (const ms of tookMs) pace.note(ms);
  return pace;
}

test("a line is quick until its tiles say otherwise", () => {
  expect(paceOf().isQuick()).toBe(true);
  expect(paceOf(90, 110, 80).isQuick()).toBe(true);
  expect(paceOf(600, 700, 500).isQuick()).toBe(false);
});

test("one late tile does not make it slow, nor what was in the cache quick", () => {
  expect(paceOf(90, 2000, 100).isQuick()).toBe(true);
  expect(paceOf(600, 700, 2, 3, 1, 2, 1).isQuick()).toBe(false);
});

test("it is judged by the latest tiles", () => {
  expect(paceOf(...Array(20).fill(700), ...Array(8).fill(60)).isQuick()).toBe(true);
});
