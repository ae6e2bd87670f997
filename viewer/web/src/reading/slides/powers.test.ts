import { expect, test } from "vitest";
import { powerBeside } from "./powers";

test("the turret goes from objective to objective and ends at the last", () => {
  expect([powerBeside(0.3, 1), powerBeside(5, 1), powerBeside(7, 1), powerBeside(40, 1)]).toEqual([
    1,
    10,
    10,
    undefined,
  ]);
  expect([powerBeside(60, -1), powerBeside(10.1, -1), powerBeside(7, -1), powerBeside(1, -1)]).toEqual([
    40,
    5,
    5,
    undefined,
  ]);
});
