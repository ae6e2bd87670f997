// Modality and VOI lookup tables (PS3.3 C.11.1, C.11.2.1.1): where an image's tables are, and what they make of values. Pure.

import { inlineBytes, items, type JsonDataSet, numbers } from "./dicomJson";
import { wordsOf } from "./palette";

/** A table as the metadata tell it. */
export interface StoredLookup {
  /** Number of entries, first value mapped (its sign still unknown), bits of an entry. */
  readonly descriptor: readonly [number, number, number];
  readonly data: Uint8Array | undefined;
  /** Where its bytes are, when they are too many for the metadata. */
  readonly url: string | undefined;
}

/** Values below `first` have the first entry, those beyond the table the last one. */
export interface Lookup {
  readonly first: number;
  readonly bits: number;
  readonly entries: Uint16Array;
}

const ENTRIES_MAX = 65_536;
const BITS_MAX = 16;

/** Words as the bytes that they are in a file. */
function bytesOf(words: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: words.length * 2 }, (_, at) => ((words[at >> 1] ?? 0) >> (at % 2 ? 8 : 0)) & 0xff);
}

/** The table of a sequence's first item; undefined where there is none, or it has no entries. */
export function lookupIn(group: JsonDataSet, sequence: string): StoredLookup | undefined {
  const [item] = items(group, sequence);
  if (!item) return undefined;
  const [entries, first, bits] = numbers(item, "00283002");
  if (entries === undefined || first === undefined || bits === undefined) return undefined;
  const words = numbers(item, "00283006");
  const data = inlineBytes(item, "00283006") ?? (words.length > 0 ? bytesOf(words) : undefined);
  const url = item["00283006"]?.BulkDataURI;
  return data || url ? { descriptor: [entries, first, bits], data, url } : undefined;
}

/** The table whose bytes these are; undefined when it contradicts itself. `signed`: what it maps may be below zero. */
export function lookupOf({ descriptor }: StoredLookup, bytes: Uint8Array, signed: boolean): Lookup | undefined {
  const [stored, from, bits] = descriptor;
  if (!(bits >= 1 && bits <= BITS_MAX)) return undefined;
  const count = stored & 0xffff || ENTRIES_MAX;
  // Of eight bits, entries are a byte each; some makers give each a word.
  const entries = wordsOf(bytes, bits <= 8 && bytes.length < 2 * count ? 1 : 2);
  const first = from & 0xffff;
  if (entries.length < count) return undefined;
  return { first: signed && first >= 0x8000 ? first - 0x1_0000 : first, bits, entries: entries.subarray(0, count) };
}

/** What a table makes of a value. */
export function looked({ first, entries }: Lookup, value: number): number {
  return entries[Math.min(Math.max(Math.trunc(value - first), 0), entries.length - 1)] ?? 0;
}
