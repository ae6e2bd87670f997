import { expect, test } from "vitest";
import { turn } from "./wheel";

test("a notch of a mouse is one slice, however large it is", () => {
  expect(turn(0, 100, 0)).toEqual({ slices: 1, rest: 0 });
  expect(turn(0, -360, 0)).toEqual({ slices: -1, rest: 0 });
  expect(turn(0, 3, 1).slices).toBe(1);
});

test("small steps of a trackpad add up", () => {
  let rest = 0;
  let slices = 0;
  for (let step = 0; step < 25; step += 1) {
    const next = turn(rest, 10, 0);
    rest = next.rest;
    slices += next.slices;
  }

  expect(slices).toBe(5);
});

test("turning round starts anew", () => {
  expect(turn(45, -10, 0)).toEqual({ slices: 0, rest: -10 });
});
