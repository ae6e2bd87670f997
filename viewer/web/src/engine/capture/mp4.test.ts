import { expect, it } from "vitest";
import { mp4Of } from "./mp4";

interface Box {
  readonly type: string;
  readonly from: number;
  readonly to: number;
}

function boxes(file: Uint8Array, from = 0, to = file.length): Box[] {
  const view = new DataView(file.buffer, file.byteOffset);
  const found: Box[] = [];
  for (let at = from; at < to; ) {
    const size = view.getUint32(at);
    found.push({ type: String.fromCharCode(...file.subarray(at + 4, at + 8)), from: at + 8, to: at + size });
    at += size;
  }
  return found;
}

function within(file: Uint8Array, path: readonly string[]): Box {
  let box: Box = { type: "", from: 0, to: file.length };
  for (const type of path) {
    const next = boxes(file, box.from, box.to).find((one) => one.type === type);
    if (!next) throw new Error(`no ${type}`);
    box = next;
  }
  return box;
}

const SAMPLES = [
  { bytes: Uint8Array.of(1, 2, 3), isKey: true },
  { bytes: Uint8Array.of(4, 5), isKey: false },
  { bytes: Uint8Array.of(6), isKey: true },
];
const FILE = mp4Of({ width: 640, height: 480, rate: 15, avcConfiguration: Uint8Array.of(9, 9), samples: SAMPLES });
const TABLES = ["moov", "trak", "mdia", "minf", "stbl"];
const number = (box: Box, at: number) => new DataView(FILE.buffer).getUint32(box.from + at);

it("has its head, its tables, its pictures, each box as long as it says", () => {
  expect(boxes(FILE).map(({ type }) => type)).toEqual(["ftyp", "moov", "mdat"]);
  expect(boxes(FILE).at(-1)?.to).toBe(FILE.length);
});

it("says where the first picture is, how long each is, and which can be shown alone", () => {
  const first = number(within(FILE, [...TABLES, "stco"]), 8);
  expect([...FILE.subarray(first)]).toEqual([1, 2, 3, 4, 5, 6]);
  const sizes = within(FILE, [...TABLES, "stsz"]);
  expect([8, 12, 16, 20].map((at) => number(sizes, at))).toEqual([3, 3, 2, 1]);
  const keys = within(FILE, [...TABLES, "stss"]);
  expect([4, 8, 12].map((at) => number(keys, at))).toEqual([2, 1, 3]);
});

it("shows each picture for as long as the rate says", () => {
  const times = within(FILE, [...TABLES, "stts"]);
  expect([8, 12].map((at) => number(times, at))).toEqual([3, 6_000]);
  expect(number(within(FILE, ["moov", "mvhd"]), 16)).toBe(18_000);
});
