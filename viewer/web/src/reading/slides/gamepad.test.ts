import { expect, test } from "vitest";
import { heldOn, moved, type Pad } from "./gamepad";

const NONE: ReadonlySet<string> = new Set();

function pad(axes: readonly number[], values: Readonly<Record<number, number>> = {}): Pad {
  const buttons = Array.from({ length: 17 }, (_, at) => ({ pressed: (values[at] ?? 0) > 0.5, value: values[at] ?? 0 }));
  return { axes, buttons };
}

test("a pad that nobody touches moves nothing, though its sticks are never quite in their middle", () => {
  expect(moved(pad([0.1, -0.14, 0, 0.05]), NONE, 0.016)).toEqual({ across: 0, down: 0, zoom: 1, keys: [] });
});

test("the left stick goes fast, the right one slowly, and both are finer near their middle", () => {
  expect(moved(pad([1, 0, 0, 0]), NONE, 0.1).across).toBeCloseTo(0.09);
  expect(moved(pad([0, 0, 0, -1]), NONE, 0.1).down).toBeCloseTo(-0.025);
  expect(moved(pad([0.575, 0, 0, 0]), NONE, 0.1).across).toBeCloseTo(0.09 / 4);
});

test("the right trigger magnifies, the left one goes away, as far as they are pulled", () => {
  const [nearer, farther] = [moved(pad([], { 7: 1 }), NONE, 0.1).zoom, moved(pad([], { 6: 1 }), NONE, 0.1).zoom];

  expect(nearer).toBeCloseTo(4 ** 0.1);
  expect(nearer * farther).toBeCloseTo(1);
  expect(moved(pad([], { 7: 0.5 }), NONE, 0.1).zoom).toBeLessThan(nearer);
});

test("a button is a key once, when it goes down", () => {
  const down = pad([], { 0: 1, 5: 1 });

  expect(moved(down, NONE, 0.016).keys).toEqual(["Pad A", "Pad RB"]);
  expect(moved(down, heldOn(down), 0.016).keys).toEqual([]);
});

test("a page that was away for long does not jump", () => {
  expect(moved(pad([1, 0]), NONE, 60).across).toBe(moved(pad([1, 0]), NONE, 0.1).across);
});
