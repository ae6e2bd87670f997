import { describe, expect, test } from "vitest";
import { type BulkTile, foundAt, readBulkTile } from "./bulkTile";

interface Parts {
  readonly dots?: readonly number[];
  readonly shapes?: readonly (readonly number[])[];
  readonly closed?: boolean;
}

/** A tile as wsi/bulk_tiles.py writes it; shapes are numbered 11, 12 ... */
function aTile({ dots = [], shapes = [], closed = true }: Parts): ArrayBuffer {
  const ends: number[] = [];
  for (const shape of shapes) ends.push((ends.at(-1) ?? 0) + shape.length / 2);
  const parts = [
    Uint32Array.of(0x31424156, dots.length / 2, shapes.length, ends.at(-1) ?? 0, Number(closed)),
    Uint16Array.from(dots),
    Uint32Array.from(shapes, (_, index) => 11 + index),
    Uint32Array.from(ends),
    Float32Array.from(shapes.flat()),
  ];
  const bytes = parts.flatMap((part) => [...new Uint8Array(part.buffer)]);
  return Uint8Array.from(bytes).buffer;
}

function read(parts: Parts): BulkTile {
  const tile = readBulkTile(aTile(parts));
  if (!tile) throw new Error("no tile");
  return tile;
}

const LARGE = [0, 0, 100, 0, 100, 100, 0, 100];
const SMALL = [40, 40, 60, 40, 60, 60, 40, 60];

describe("a tile of bulk annotations", () => {
  test("is read as it was written", () => {
    const tile = read({ dots: [3, 4, 500, 6], shapes: [LARGE, [1, 2, 3, 4]], closed: false });

    expect([...tile.dots]).toEqual([3, 4, 500, 6]);
    expect([...tile.numbers]).toEqual([11, 12]);
    expect([...tile.ends]).toEqual([4, 6]);
    expect([...tile.points]).toEqual([...LARGE, 1, 2, 3, 4]);
    expect(tile.closed).toBe(false);
  });

  test("is none when it is cut, of another kind, or counts points that are not there", () => {
    const whole = aTile({ shapes: [LARGE] });
    const lying = aTile({ shapes: [LARGE] });
    new DataView(lying).setUint32(24, 3, true);

    expect(readBulkTile(whole.slice(0, -4))).toBeUndefined();
    expect(readBulkTile(new ArrayBuffer(4))).toBeUndefined();
    expect(readBulkTile(new ArrayBuffer(20))).toBeUndefined();
    expect(readBulkTile(lying)).toBeUndefined();
  });
});

describe("what one points at", () => {
  test("is the smallest outline around the place", () => {
    const tile = read({ shapes: [LARGE, SMALL] });

    expect(foundAt(tile, 50, 50, 2)?.number).toBe(12);
    expect(foundAt(tile, 10, 50, 2)?.number).toBe(11);
    expect(foundAt(tile, 101, 50, 2)?.number).toBe(11);
    expect(foundAt(tile, 110, 50, 2)).toBeUndefined();
  });

  test("is a line only where the line is", () => {
    const tile = read({ shapes: [[0, 0, 100, 100]], closed: false });

    expect(foundAt(tile, 50, 51, 2)?.number).toBe(11);
    expect(foundAt(tile, 50, 60, 2)).toBeUndefined();
  });

  test("is the nearest dot where there is no outline", () => {
    const tile = read({ dots: [10, 10, 14, 10], shapes: [] });

    const found = foundAt(tile, 13, 10, 6);

    expect(found?.number).toBeUndefined();
    expect([...(found?.points ?? [])]).toEqual([14, 10]);
    expect(foundAt(tile, 30, 10, 6)).toBeUndefined();
  });
});
