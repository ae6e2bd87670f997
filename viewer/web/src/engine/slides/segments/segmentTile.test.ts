import { describe, expect, test } from "vitest";
import { SIDE } from "../cover";
import { paint, readSegmentTile } from "./segmentTile";

const PIXELS = SIDE * SIDE;

/** A tile as wsi/segment_tiles.py writes it: of each segment its first pixels, and nothing else. */
function aTile(planes: Readonly<Record<number, readonly number[]>>): ArrayBuffer {
  const numbers = Object.keys(planes).map(Number);
  const data = new Uint8Array(8 + numbers.length * (4 + PIXELS));
  const head = new DataView(data.buffer);
  head.setUint32(0, 0x31475356, true);
  head.setUint32(4, numbers.length, true);
  for (const [index, number] of numbers.entries()) {
    head.setUint32(8 + 4 * index, number, true);
    data.set(planes[number] ?? [], 8 + 4 * numbers.length + index * PIXELS);
  }
  return data.buffer;
}

function read(planes: Readonly<Record<number, readonly number[]>>) {
  const tile = readSegmentTile(aTile(planes));
  if (!tile) throw new Error("no tile");
  return tile;
}

const RED = { color: [255, 0, 0], opacity: 1 } as const;
const BLUE = { color: [0, 0, 255], opacity: 0.5 } as const;

describe("a tile of a segmentation", () => {
  test("is read as it was written", () => {
    const tile = read({ 2: [9, 8], 7: [0, 0, 5] });

    expect([...tile.keys()]).toEqual([2, 7]);
    expect([...(tile.get(2)?.subarray(0, 4) ?? [])]).toEqual([9, 8, 0, 0]);
    expect(tile.get(7)?.[2]).toBe(5);
    expect(read({}).size).toBe(0);
  });

  test("is none when it is cut, or of another kind", () => {
    const whole = aTile({ 1: [1] });

    expect(readSegmentTile(whole.slice(0, -1))).toBeUndefined();
    expect(readSegmentTile(new ArrayBuffer(4))).toBeUndefined();
    expect(readSegmentTile(new ArrayBuffer(8))).toBeUndefined();
  });
});

describe("segments", () => {
  const paintedWith = (planes: Readonly<Record<number, readonly number[]>>, ...inks: Parameters<typeof paint>[2]) => {
    const pixels = new Uint8ClampedArray(PIXELS * 4);
    const painted = paint(pixels, read(planes), inks);
    return { painted, pixels: [...pixels.subarray(0, 8)] };
  };

  test("are as opaque as they are chosen to be, and as much of a pixel is theirs", () => {
    const { pixels } = paintedWith({ 1: [255, 51] }, { number: 1, ...BLUE });

    expect(pixels).toEqual([0, 0, 255, 128, 0, 0, 255, 26]);
  });

  test("lie one over the other, the later above", () => {
    const { pixels } = paintedWith({ 1: [255], 2: [255] }, { number: 1, ...RED }, { number: 2, ...BLUE });

    expect(pixels.slice(0, 4)).toEqual([128, 0, 128, 255]);
  });

  test("that are not there, or not seen, are nothing to paint", () => {
    expect(paintedWith({ 1: [255] }, { number: 2, ...RED }).painted).toBe(false);
    expect(paintedWith({ 1: [255] }, { number: 1, ...RED, opacity: 0 }).painted).toBe(false);
    expect(paintedWith({ 1: [255] }).pixels).toEqual(Array(8).fill(0));
  });
});
