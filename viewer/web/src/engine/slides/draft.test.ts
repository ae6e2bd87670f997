import { describe, expect, test } from "vitest";
import { clicked, type Draft, ended, type Near, stroked } from "./draft";
import type { SlidePoint } from "./slide";

const isNear: Near = (one, other) => Math.hypot(one.x - other.x, one.y - other.y) < 5;
const at = (x: number, y: number): SlidePoint => ({ x, y });
const CORNERS = [at(0, 0), at(100, 0), at(100, 100)];

function drawn(kind: "line" | "polygon", points: readonly SlidePoint[]): Draft | undefined {
  return points.reduce<Draft | undefined>((draft, point) => clicked(kind, draft, point, isNear).draft, undefined);
}

describe("clicks", () => {
  test.each(["point", "text"] as const)("make a %s at once", (kind) => {
    expect(clicked(kind, undefined, at(3, 4), isNear)).toEqual({
      draft: undefined,
      done: { kind, points: [at(3, 4)] },
    });
  });

  test("make a line of two", () => {
    const step = clicked("line", drawn("line", [at(0, 0)]), at(30, 40), isNear);

    expect(step).toEqual({ draft: undefined, done: { kind: "line", points: [at(0, 0), at(30, 40)] } });
  });

  test("make a polygon that ends where it began", () => {
    const step = clicked("polygon", drawn("polygon", CORNERS), at(2, 2), isNear);

    expect(step).toEqual({ draft: undefined, done: { kind: "polygon", points: CORNERS } });
  });

  test("make a polygon that ends with a double click", () => {
    expect(clicked("polygon", drawn("polygon", CORNERS), at(101, 99), isNear).done?.points).toEqual(CORNERS);
  });

  test("never make a polygon of two corners", () => {
    const draft = drawn("polygon", CORNERS.slice(0, 2));

    expect(clicked("polygon", draft, at(1, 1), isNear).draft?.points).toHaveLength(3);
  });

  test("with another tool begin anew", () => {
    expect(clicked("line", drawn("polygon", CORNERS), at(9, 9), isNear).draft?.points).toEqual([at(9, 9)]);
  });
});

describe("the end", () => {
  test("finishes what encloses something, and drops anything less", () => {
    expect(ended(drawn("polygon", CORNERS)).done?.points).toEqual(CORNERS);
    expect(ended(drawn("polygon", CORNERS.slice(0, 2)))).toEqual({ draft: undefined, done: undefined });
    expect(ended(drawn("line", CORNERS.slice(0, 1)))).toEqual({ draft: undefined, done: undefined });
    expect(ended(undefined)).toEqual({ draft: undefined, done: undefined });
  });
});

test("a stroke takes places that are apart", () => {
  const draft = [at(0, 0), at(2, 0), at(6, 0), at(7, 0), at(12, 0)].reduce<Draft | undefined>(
    (before, point) => stroked(before, point, isNear),
    undefined,
  );

  expect(draft?.points).toEqual([at(0, 0), at(6, 0), at(12, 0)]);
});
