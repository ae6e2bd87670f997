// What a file is, by its first bytes and not by its name; and which files go in one body. Pure.

export type FileKind = "instance" | "zip" | "slide" | "other";

/** As many bytes as tell. */
export const HEAD_BYTES = 132;
export const BATCH_FILES_MAX = 100;
export const BATCH_BYTES_MAX = 64 * 1024 * 1024;

/** Little and big endian TIFF, and BigTIFF (43 is "+"): what most scanners of slides write. */
const TIFF = ["II*\0", "MM\0*", "II+\0", "MM\0+"] as const;
const DIRECTORY = "DICOMDIR";

/** A Part 10 file has DICM behind its preamble (PS3.10 7.1), whatever is in that; a zip begins with PK. */
export function kindOf(name: string, head: Uint8Array): FileKind {
  if (name.toUpperCase() === DIRECTORY) return "other";
  const text = String.fromCharCode(...head);
  if (text.slice(128, 132) === "DICM") return "instance";
  if (TIFF.some((magic) => text.startsWith(magic))) return "slide";
  return text.startsWith("PK\x03\x04") ? "zip" : "other";
}

interface Sized {
  readonly kind: FileKind;
  readonly bytes: number;
}

/** The next files that go together: one zip, or instances up to a bound, one at least. */
export function nextBatch<T extends Sized>(waiting: readonly T[]): readonly T[] {
  const [first] = waiting;
  if (!first || first.kind === "zip") return first ? [first] : [];
  const batch: T[] = [];
  let bytes = 0;
  for (const one of waiting) {
    if (one.kind !== "instance") continue;
    if (batch.length > 0 && (batch.length >= BATCH_FILES_MAX || bytes + one.bytes > BATCH_BYTES_MAX)) break;
    batch.push(one);
    bytes += one.bytes;
  }
  return batch;
}
