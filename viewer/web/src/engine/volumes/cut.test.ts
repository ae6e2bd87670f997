import { describe, expect, test } from "vitest";
import type { Vector } from "../frames/geometry";
import { type Cut, cutInto, type Slab } from "./cut";
import { cutThrough, fromCut, onCut, PLANE_NAMES, type Planes, throughOf, turned, UPRIGHT, withTurn } from "./planes";
import { planted, stackAt, volumeOf } from "./stack.fixture";
import { emptyVolume, fill, fitsInt16, type Volume, valueAt } from "./volume";

const THIN: Slab = { mode: "average", thicknessMm: 0 };
const POINT: Vector = [1, 26, 11];
const STACKS = {
  "even slices": [0, 5, 10, 15, 20],
  "uneven slices": [0, 5, 11, 15, 20],
};

function cutOf(volume: Volume, cut: Cut, slab = THIN): Float32Array {
  const out = new Float32Array(cut.width * cut.height);
  cutInto(out, volume, cut, slab);
  return out;
}

/** How far the cut's values are from those of the places themselves; pixels beyond the outermost samples aside. */
function worst(volume: Volume, cut: Cut, values: Float32Array): { readonly error: number; readonly checked: number } {
  let [error, checked] = [0, 0];
  const { grid } = volume;
  const end = grid.places.at(-1) ?? 0;
  for (const [at, value] of values.entries()) {
    const place = fromCut(cut, { column: (at % cut.width) + 0.5, row: Math.floor(at / cut.width) + 0.5 });
    const lean = grid.lean[1] / grid.lean[2];
    const [across, down, along] = [place[0] + 10, place[1] - 20 - lean * place[2], place[2]];
    if (across < 0 || across > 22 || down < 0 || down > 13.5 || along < 0 || along > end) continue;
    error = Math.max(error, Math.abs(value - planted(place)));
    checked += 1;
  }
  return { error, checked };
}

describe("every plane shows the value of each place", () => {
  const tipped: Planes = withTurn(withTurn(UPRIGHT, "sagittal", 20), "axial", -35);
  const cases = Object.entries(STACKS).flatMap(([name, places]) =>
    [0, 0.35].flatMap((lean) =>
      [UPRIGHT, tipped].flatMap((planes) =>
        PLANE_NAMES.map((plane) => ({
          name,
          places,
          lean,
          planes,
          plane,
          tip: planes === UPRIGHT ? "upright" : "tipped",
        })),
      ),
    ),
  );

  test.each(cases)("$plane of $name, leaning $lean, $tip", ({ places, lean, planes, plane }) => {
    const volume = volumeOf(stackAt(places, lean));
    const cut = cutThrough(volume.grid, planes[plane], POINT);

    const { error, checked } = worst(volume, cut, cutOf(volume, cut));

    expect(checked).toBeGreaterThan(50);
    expect(error).toBeLessThan(0.01);
  });
});

test("a point keeps its place on the picture, and the picture holds the whole volume", () => {
  const volume = volumeOf(stackAt([0, 5, 10, 15, 20]));
  const cut = cutThrough(volume.grid, UPRIGHT.coronal, POINT);

  expect([cut.width, cut.height, cut.pixelMm]).toEqual([16, 17, 1.5]);
  const back = fromCut(cut, onCut(cut, POINT));
  expect(back.map((value) => Math.round(value * 1e6) / 1e6)).toEqual(POINT);
});

test("nothing is shown where slices are missing", () => {
  const volume = volumeOf(stackAt([0, 5, 10, 30, 35]));
  const cut = cutThrough(volume.grid, UPRIGHT.coronal, POINT);
  const column = Math.floor(onCut(cut, POINT).column);
  const valueAtZ = (z: number) => cutOf(volume, cut)[Math.floor(onCut(cut, [0, 0, z]).row) * cut.width + column];

  expect(valueAtZ(20)).toBeNaN();
  expect(valueAtZ(8)).not.toBeNaN();
  expect(valueAt(volume, [1, 26, 20])).toBeUndefined();
});

describe("a slab", () => {
  function spotted(): Volume {
    const { grid } = volumeOf(stackAt([0, 2, 4, 6, 8, 10, 12]));
    const volume = emptyVolume(grid, true);
    for (let slice = 0; slice < 7; slice += 1) fill(volume, slice, new Int16Array(120).fill(slice === 4 ? 700 : 100));
    return volume;
  }
  const middle = (volume: Volume, slab: Slab, planes: Planes = UPRIGHT) => {
    const cut = cutThrough(volume.grid, planes.axial, [1, 26, 6]);
    const { column, row } = onCut(cut, [1, 26, 6]);
    return cutOf(volume, cut, slab)[Math.floor(row) * cut.width + Math.floor(column)] ?? Number.NaN;
  };

  test.each([
    ["highest", 700],
    ["lowest", 100],
    ["average", 250],
  ] as const)("of 8 mm shows the %s of what lies one behind the other", (mode, expected) => {
    expect(middle(spotted(), { mode, thicknessMm: 8 })).toBeCloseTo(expected, 0);
  });

  test("that is thinner than the distance to the bright slice does not show it", () => {
    expect(middle(spotted(), { mode: "highest", thicknessMm: 2 })).toBe(100);
  });

  test("is the same, seen a hair off the volume's axes, where it is sampled in space", () => {
    const tipped = withTurn(UPRIGHT, "sagittal", 0.5);
    expect(middle(spotted(), { mode: "average", thicknessMm: 8 }, tipped)).toBeCloseTo(250, -1.2);
    expect(middle(spotted(), { mode: "highest", thicknessMm: 8 }, tipped)).toBeGreaterThan(600);
  });
});

describe("a slice that is not here shows nothing, neither air nor bone", () => {
  const HERE = 100;
  const SLABS: readonly Slab[] = [
    THIN,
    { mode: "highest", thicknessMm: 3 },
    { mode: "lowest", thicknessMm: 3 },
    { mode: "average", thicknessMm: 3 },
  ];
  const TIPPED = withTurn(withTurn(UPRIGHT, "sagittal", 20), "axial", -35);
  const cases = [true, false].flatMap((short) =>
    [UPRIGHT, TIPPED].flatMap((planes) =>
      PLANE_NAMES.flatMap((plane) =>
        SLABS.map((slab) => ({
          short,
          planes,
          plane,
          slab,
          kind: short ? "two bytes" : "four bytes",
          tip: planes === UPRIGHT ? "upright" : "tipped",
          ...slab,
        })),
      ),
    ),
  );
  /** Seven slices all alike, of which the middle three are not here. */
  function partOf(short: boolean): Volume {
    const { grid } = volumeOf(stackAt([0, 2, 4, 6, 8, 10, 12]));
    const volume = emptyVolume(grid, short);
    for (const slice of [0, 1, 5, 6]) fill(volume, slice, new Float32Array(120).fill(HERE));
    return volume;
  }

  test.each(cases)("$kind, $plane $tip, $mode of $thicknessMm mm", ({ short, planes, plane, slab }) => {
    const volume = partOf(short);
    const through = (z: number) => cutOf(volume, cutThrough(volume.grid, planes[plane], [1, 26, z]), slab);
    const values = [6, 0.5].flatMap((z) => [...through(z)]);

    const seen = values.filter((value) => !Number.isNaN(value));

    expect(seen.length).toBeGreaterThan(0);
    expect(seen.length).toBeLessThan(values.length);
    expect(Math.max(...seen.map((value) => Math.abs(value - HERE)))).toBeLessThan(0.001);
  });

  test("and a plane that needs it beside one that is here shows nothing, a slab what is here", () => {
    const volume = partOf(true);
    const at = (z: number, slab: Slab) => [...cutOf(volume, cutThrough(volume.grid, UPRIGHT.axial, [1, 26, z]), slab)];

    expect(new Set(at(3, THIN))).toEqual(new Set([Number.NaN]));
    expect(at(3, { mode: "average", thicknessMm: 4 })).toContain(HERE);
    expect(at(2, THIN)).toContain(HERE);
  });

  test("and one that is here is shown up to its place though its neighbour is not", () => {
    const { grid } = volumeOf(stackAt([0, 2, 4]));
    const volume = emptyVolume(grid, true);
    fill(volume, 2, new Int16Array(120).fill(HERE));
    const edge = (planes: Planes) => {
      const cut = cutThrough(grid, planes.coronal, [1, 26, 2]);
      const values = cutOf(volume, cut);
      return [4.5, 4, 3.5].map((z) => {
        const { column, row } = onCut(cut, [1, 26, z]);
        return values[Math.floor(row) * cut.width + Math.floor(column)];
      });
    };

    expect(edge(UPRIGHT).at(0)).toBe(HERE);
    expect(edge(UPRIGHT).at(-1)).toBeNaN();
    expect(edge(withTurn(UPRIGHT, "axial", 20)).at(0)).toBe(HERE);
  });
});

test("planes turn about the line of sight, and stay at right angles", () => {
  const quarter = turned([1, 0, 0], [0, 0, 1], 90).map(Math.round);
  const planes = withTurn(UPRIGHT, "axial", 30);

  expect(quarter).toEqual([0, 1, 0]);
  expect(planes.axial).toBe(UPRIGHT.axial);
  const [a, b] = [throughOf(planes.coronal), throughOf(planes.sagittal)];
  expect(a[0] * b[0] + a[1] * b[1] + a[2] * b[2]).toBeCloseTo(0);
  expect(planes.coronal.right[1]).toBeCloseTo(0.5);
});

test("two bytes hold whole Hounsfield units, four hold everything else", () => {
  const ct = { bitsStored: 12, signed: false, slope: 1, intercept: -1024 };

  expect(fitsInt16([ct, ct])).toBe(true);
  expect(fitsInt16([ct, { ...ct, slope: 0.5 }])).toBe(false);
  expect(fitsInt16([{ ...ct, bitsStored: 16 }])).toBe(false);
  expect(fitsInt16([{ bitsStored: 16, signed: true, slope: 1, intercept: 0 }])).toBe(true);
});
