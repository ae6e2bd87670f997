import { describe, expect, test } from "vitest";
import { BATCH_BYTES_MAX, BATCH_FILES_MAX, type FileKind, kindOf, nextBatch } from "./kinds";

function bytes(text: string, at = 0): Uint8Array {
  return Uint8Array.from({ length: 132 }, (_, index) => text.charCodeAt(index - at) || 0);
}

test.each<[string, Uint8Array, FileKind]>([
  ["IM0001", bytes("DICM", 128), "instance"],
  ["scan.txt", bytes("DICM", 128), "instance"],
  ["DICOMDIR", bytes("DICM", 128), "other"],
  ["cd.dat", bytes("PK\x03\x04"), "zip"],
  ["CMU-1.svs", bytes("II*\0"), "slide"],
  ["big.tif", bytes("II+\0"), "slide"],
  ["old.tif", bytes("MM\0*"), "slide"],
  ["viewer.exe", bytes("MZ"), "other"],
  ["empty", new Uint8Array(), "other"],
])("%s is what its bytes say", (name, head, kind) => {
  expect(kindOf(name, head)).toBe(kind);
});

describe("a body", () => {
  const instance = (size: number) => ({ kind: "instance", bytes: size }) as const;
  const zip = { kind: "zip", bytes: 9 } as const;

  test("has no more files and bytes than it should", () => {
    expect(nextBatch(Array.from({ length: 300 }, () => instance(1)))).toHaveLength(BATCH_FILES_MAX);
    expect(nextBatch([instance(BATCH_BYTES_MAX - 1), instance(1), instance(1)])).toHaveLength(2);
  });

  test("has one file however large it is", () => {
    expect(nextBatch([instance(10 * BATCH_BYTES_MAX), instance(1)])).toHaveLength(1);
  });

  test("has one zip, or none", () => {
    expect(nextBatch([zip, instance(1)])).toEqual([zip]);
    expect(nextBatch([instance(1), zip, instance(2)])).toEqual([instance(1), instance(2)]);
    expect(nextBatch([])).toEqual([]);
  });
});
