import { describe, expect, test } from "vitest";
import { Palettes } from "../loading/palettes";
import { FrameProblem } from "../loading/problems";
import type { JsonDataSet } from "./dicomJson";
import type { PixelModule } from "./frame";
import { colorsOf, paletteOf, type StoredPalette, TABLE_BYTES_MAX } from "./palette";

const SEGMENTED = { segmented: true } as const;

/** Three tables with this descriptor: entries, first index, bits. */
function aPalette(descriptor: readonly [number, number, number], { segmented = false } = {}): StoredPalette {
  const table = { descriptor, segmented, data: undefined, url: "/bulk" };
  return [table, table, table];
}

/** The red entries, when all three tables hold these bytes. */
function red(palette: StoredPalette, bytes: readonly number[]): readonly number[] | undefined {
  const table = Uint8Array.from(bytes);
  const colors = colorsOf(palette, [table, table, table], false);
  return colors && [...colors.channels[0]];
}

const words = (...values: readonly number[]) => values.flatMap((value) => [value & 0xff, value >> 8]);

describe("a plain table", () => {
  test("of eight bits has a byte an entry, padded to an even length, or a word", () => {
    expect(red(aPalette([3, 0, 8]), [10, 20, 30, 0])).toEqual([10, 20, 30]);
    expect(red(aPalette([3, 0, 8]), words(10, 20, 30))).toEqual([10, 20, 30]);
  });

  test("of sixteen bits gives the high bytes, also where another channel is black", () => {
    const channels = [words(0, 0), words(0x1000, 0xff00), words(0, 5)].map((bytes) => Uint8Array.from(bytes));

    const colors = colorsOf(aPalette([2, 0, 16]), channels, false);

    expect(colors?.channels.map((channel) => [...channel])).toEqual([
      [0, 0],
      [0x10, 0xff],
      [0, 0],
    ]);
  });

  test("of sixteen bits that holds bytes alone, as some makers write, gives them as they are", () => {
    expect(red(aPalette([2, 0, 16]), words(7, 250))).toEqual([7, 250]);
  });

  test("that says it has no entry has 65,536", () => {
    const bytes = Array.from({ length: TABLE_BYTES_MAX }, (_, at) => (at % 2 ? (at >> 9) & 0xff : 0));

    const entries = red(aPalette([0, 0, 16]), bytes);

    expect(entries).toHaveLength(65_536);
    expect([entries?.[0], entries?.[0x7fff], entries?.[65_535]]).toEqual([0, 0x7f, 0xff]);
  });

  test("begins below zero where the pixels are signed, whichever VR its descriptor had", () => {
    const bytes = [1, 2, 3].map(() => Uint8Array.of(1, 2));

    expect(colorsOf(aPalette([2, -5, 8]), bytes, true)?.first).toBe(-5);
    expect(colorsOf(aPalette([2, 65_531, 8]), bytes, true)?.first).toBe(-5);
    expect(colorsOf(aPalette([2, 65_531, 8]), bytes, false)?.first).toBe(65_531);
  });

  test("that is shorter than it says is none, and so are tables that are not alike", () => {
    const [table] = aPalette([4, 0, 8]);
    const [other] = aPalette([4, 1, 8]);

    expect(red(aPalette([4, 0, 8]), [1, 2])).toBeUndefined();
    expect(
      colorsOf(
        [table, table, other],
        [1, 2, 3].map(() => new Uint8Array(4)),
        false,
      ),
    ).toBeUndefined();
  });
});

describe("a table in segments", () => {
  test("is expanded: entries one by one, a straight line, and a copy of earlier segments", () => {
    const bytes = [0, 2, 10, 20, 1, 4, 100, 2, 1, 0, 0, 0, 0, 0];

    expect(red(aPalette([8, 0, 8], SEGMENTED), bytes)).toEqual([10, 20, 40, 60, 80, 100, 10, 20]);
  });

  test("of sixteen bits counts offsets in bytes, the lower word first", () => {
    const bytes = words(0, 1, 0x0100, 1, 2, 0x0300, 2, 2, 0, 0);

    expect(red(aPalette([6, 0, 16], SEGMENTED), bytes)).toEqual([1, 2, 3, 1, 2, 3]);
  });

  test("may be longer than the table", () => {
    expect(red(aPalette([2, 0, 8], SEGMENTED), [0, 1, 9, 1, 200, 209])).toEqual([9, 10]);
  });

  test.each([
    ["begins with a line", [1, 4, 100, 0]],
    ["is of no known kind", [7, 1, 1, 1]],
    ["ends too early", [0, 1, 5, 1]],
    ["copies a copy", [0, 1, 5, 2, 1, 3, 0, 0, 0, 0]],
  ])("that %s is none", (_, bytes) => {
    expect(red(aPalette([8, 0, 8], SEGMENTED), bytes)).toBeUndefined();
  });

  test("that copies nothing again and again comes to an end", () => {
    const empty = Array.from({ length: 500 }, () => 0);
    const copies = Array.from({ length: 2000 }, () => [2, 250, 0, 0, 0, 0]).flat();

    expect(red(aPalette([8, 0, 8], SEGMENTED), [...empty, ...copies])).toBeUndefined();
  });
});

describe("an image by palette", () => {
  const named = (channel: number, table: JsonDataSet): JsonDataSet => ({
    [`0028110${channel}`]: { vr: "US", Value: [2, 0, 8] },
    ...table,
  });
  const instance: JsonDataSet = {
    ...named(1, { "00281221": { vr: "OW", InlineBinary: btoa("\0\x02\x0a\x14") } }),
    ...named(2, { "00281202": { vr: "OW", BulkDataURI: "/green" } }),
    ...named(3, { "00281203": { vr: "OW", InlineBinary: btoa("\x07\x08") } }),
  };
  const pixels = { palette: paletteOf(instance), pixelRepresentation: 0 } as PixelModule;

  test("has its tables in the metadata, plain or in segments, or where they say; all three", () => {
    expect(pixels.palette?.map(({ segmented, url }) => [segmented, url])).toEqual([
      [true, undefined],
      [false, "/green"],
      [false, undefined],
    ]);
    expect(paletteOf({ ...instance, "00281202": { vr: "OW" } })).toBeUndefined();
  });

  test("is fetched what the metadata only name, once for all its frames", async () => {
    const asked: string[] = [];
    const palettes = new Palettes((url) => {
      asked.push(url);
      return Promise.resolve(Uint8Array.of(50, 60));
    });

    const [colors] = await Promise.all([palettes.of(pixels), palettes.of(pixels)]);

    expect(asked).toEqual(["/green"]);
    expect(colors.channels.map((channel) => [...channel])).toEqual([
      [10, 20],
      [50, 60],
      [7, 8],
    ]);
  });

  test("whose table could not be had asks again with the next frame", async () => {
    let answers = [Promise.reject(new FrameProblem("unreachable")), Promise.resolve(Uint8Array.of(50, 60))];
    const palettes = new Palettes(() => {
      const [answer, ...rest] = answers;
      answers = rest;
      return answer ?? Promise.reject(new Error("asked too often"));
    });

    await expect(palettes.of(pixels)).rejects.toMatchObject({ kind: "unreachable" });
    expect((await palettes.of(pixels)).channels[1][1]).toBe(60);
  });

  test("without a palette, or with a damaged one, cannot be read", async () => {
    const short = new Palettes(() => Promise.resolve(Uint8Array.of(50)));

    await expect(short.of(pixels)).rejects.toMatchObject({ kind: "palette" });
    await expect(short.of({ ...pixels, palette: undefined })).rejects.toMatchObject({ kind: "palette" });
  });
});
