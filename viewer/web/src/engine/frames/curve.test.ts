import { expect, test } from "vitest";
import { curveOf } from "./curve";

const LINEAR = { center: 40, width: 400 };

test("a straight window wants no curve", () => {
  expect(curveOf(LINEAR, undefined)).toBeUndefined();
  expect(curveOf({ ...LINEAR, function: "LINEAR_EXACT" }, undefined)).toBeUndefined();
});

test("a sigmoid is PS3.3 C.11.2.1.3.1's", () => {
  const curve = curveOf({ ...LINEAR, function: "SIGMOID" }, undefined);

  expect(curve?.grey(40)).toBeCloseTo(0.5);
  expect(curve?.grey(140)).toBeCloseTo(1 / (1 + Math.exp(-1)));
  expect(curve?.grey(curve.upper)).toBeGreaterThan(0.999);
});

test("a table's entries are of as many greys as its bits tell, whatever the window", () => {
  const curve = curveOf(LINEAR, { first: -1, bits: 12, entries: Uint16Array.of(0, 4095, 819) });

  expect(curve).toMatchObject({ lower: -1, upper: 1 });
  expect([-5, -1, 0, 1, 9].map((value) => curve?.grey(value))).toEqual([0, 0, 1, 0.2, 0.2]);
});
