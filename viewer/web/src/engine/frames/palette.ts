// Color by palette (PS3.3 C.7.6.3.1.5, C.7.9): where an image's tables are, and the colors that they give. Pure.

import { inlineBytes, type JsonDataSet, numbers } from "./dicomJson";

/** The table of one channel as the metadata tell it. */
interface StoredTable {
  /** Number of entries (0: 65,536), first index mapped, bits of an entry. */
  readonly descriptor: readonly [number, number, number];
  /** In segments, to be expanded (C.7.9.2). */
  readonly segmented: boolean;
  readonly data: Uint8Array | undefined;
  /** Where its bytes are, when they are too many for the metadata. */
  readonly url: string | undefined;
}

export type StoredPalette = readonly [StoredTable, StoredTable, StoredTable];

/** Red, green and blue of each index from `first` on, eight bits each; what is below or above has the outermost color. */
export interface Colors {
  readonly first: number;
  readonly channels: readonly [Uint8Array, Uint8Array, Uint8Array];
}

const ENTRIES_MAX = 65_536;
/** Of one table, plain or in segments. */
export const TABLE_BYTES_MAX = 2 * ENTRIES_MAX;
/** Segments of one expansion; they may be empty, and copied many times. */
const SEGMENTS_MAX = 2 * ENTRIES_MAX;
const [DISCRETE, LINEAR, INDIRECT] = [0, 1, 2];

function tableOf(instance: JsonDataSet, channel: number): StoredTable | undefined {
  const [entries, first, bits] = numbers(instance, `0028110${channel}`);
  if (entries === undefined || first === undefined || bits === undefined) return undefined;
  const segmented = `0028122${channel}` in instance;
  const tag = segmented ? `0028122${channel}` : `0028120${channel}`;
  const [data, url] = [inlineBytes(instance, tag), instance[tag]?.BulkDataURI];
  return data || url ? { descriptor: [entries, first, bits], segmented, data, url } : undefined;
}

export function paletteOf(instance: JsonDataSet): StoredPalette | undefined {
  const [red, green, blue] = [1, 2, 3].map((channel) => tableOf(instance, channel));
  return red && green && blue ? [red, green, blue] : undefined;
}

/** Little endian words of one or two bytes. */
export function wordsOf(bytes: Uint8Array, size: 1 | 2): Uint16Array {
  return Uint16Array.from({ length: Math.floor(bytes.length / size) }, (_, at) => {
    return size === 1 ? (bytes[at] ?? 0) : (bytes[at * 2] ?? 0) | ((bytes[at * 2 + 1] ?? 0) << 8);
  });
}

/** Entries of a table in segments, as they are made. */
class Expansion {
  private readonly entries: Uint16Array;
  private readonly words: Uint16Array;
  private readonly size: 1 | 2;
  private filled = 0;
  private segmentsLeft = SEGMENTS_MAX;

  constructor(bytes: Uint8Array, bits: number, count: number) {
    this.size = bits > 8 ? 2 : 1;
    this.words = wordsOf(bytes, this.size);
    this.entries = new Uint16Array(count);
  }

  result(): Uint16Array | undefined {
    return this.run(0, SEGMENTS_MAX, false) && this.isFull() ? this.entries : undefined;
  }

  /** Expand so many segments from a word on; `copying`: they are what an indirect segment points to. */
  private run(from: number, segments: number, copying: boolean): boolean {
    let at = from;
    for (let done = 0; done < segments && at + 1 < this.words.length && !this.isFull(); done += 1) {
      const [kind, length] = [this.word(at), this.word(at + 1)];
      at += 2;
      this.segmentsLeft -= 1;
      if (this.segmentsLeft < 0) return false;
      if (kind === DISCRETE) at = this.copy(at, length);
      else if (kind === LINEAR && this.filled > 0) at = this.line(at, length);
      else if (kind === INDIRECT && !copying && this.run(this.offsetAt(at), length, true)) at += 4 / this.size;
      else return false;
    }
    return true;
  }

  private isFull(): boolean {
    return this.filled === this.entries.length;
  }

  private word(at: number): number {
    return this.words[at] ?? 0;
  }

  private add(entry: number): void {
    if (!this.isFull()) this.entries[this.filled++] = entry;
  }

  private copy(at: number, length: number): number {
    for (const entry of this.words.subarray(at, at + length)) this.add(entry);
    return at + length;
  }

  /** Straight from the last entry to one that is told. */
  private line(at: number, length: number): number {
    const [last, target] = [this.entries[this.filled - 1] ?? 0, this.word(at)];
    for (let step = 1; step <= length && !this.isFull(); step += 1) {
      this.add(Math.round(last + ((target - last) * step) / length));
    }
    return at + 1;
  }

  /** Four bytes, the least significant first: where the segments are that are meant, in bytes. */
  private offsetAt(at: number): number {
    const base = 256 ** this.size;
    const words = Array.from({ length: 4 / this.size }, (_, index) => this.word(at + index));
    return Math.floor(words.reduceRight((sum, word) => sum * base + word, 0) / this.size);
  }
}

function entriesOf({ descriptor, segmented }: StoredTable, bytes: Uint8Array): Uint16Array | undefined {
  const [stored, , bits] = descriptor;
  const count = stored & 0xffff || ENTRIES_MAX;
  if (segmented) return new Expansion(bytes, bits, count).result();
  // Of eight bits, entries are a byte each; some makers give each a word.
  const entries = wordsOf(bytes, bits <= 8 && bytes.length < 2 * count ? 1 : 2);
  return entries.length < count ? undefined : entries.subarray(0, count);
}

/**
 * The colors of a palette whose tables' bytes are these; undefined when a table is damaged, or they are not alike.
 *
 * Entries of more than eight bits give their high byte, unless all three tables hold values of one byte alone.
 */
export function colorsOf(palette: StoredPalette, bytes: readonly Uint8Array[], signed: boolean): Colors | undefined {
  const [count, first, bits] = palette[0].descriptor;
  if (palette.some(({ descriptor: [n, from, depth] }) => n !== count || from !== first || depth !== bits))
    return undefined;
  const [red, green, blue] = palette.map((table, index) => entriesOf(table, bytes[index] ?? new Uint8Array()));
  if (!(red && green && blue)) return undefined;
  const isWide = bits > 8 && [red, green, blue].some((entries) => entries.some((entry) => entry > 0xff));
  const channel = (entries: Uint16Array) => Uint8Array.from(entries, (entry) => (isWide ? entry >> 8 : entry));
  const unsigned = first & 0xffff;
  return {
    first: signed && unsigned >= 0x8000 ? unsigned - 0x1_0000 : unsigned,
    channels: [channel(red), channel(green), channel(blue)],
  };
}
