import { expect, test } from "vitest";
import { looked, lookupIn, lookupOf } from "./lookup";

const table = (descriptor: readonly number[], data: object) => ({
  "00283010": {
    vr: "SQ",
    Value: [{ "00283002": { vr: "US", Value: descriptor }, "00283006": { vr: "OW", ...data } }],
  },
});
const EMPTY = new Uint8Array();

test("a table has its entries from the first value on, the outermost ones beyond (C.11.2.1.1)", () => {
  const stored = lookupIn(table([3, 10, 16], { Value: [7, 300, 65_535] }), "00283010");
  const lookup = stored && lookupOf(stored, stored.data ?? EMPTY, false);

  expect(lookup && [0, 10, 11, 12, 99].map((value) => looked(lookup, value))).toEqual([7, 7, 300, 65_535, 65_535]);
});

test("what it maps may be below zero", () => {
  const stored = lookupIn(table([2, 65_534, 8], { InlineBinary: btoa("\x01\x02") }), "00283010");

  expect(stored && lookupOf(stored, stored.data ?? EMPTY, true)?.first).toBe(-2);
  expect(stored && lookupOf(stored, stored.data ?? EMPTY, false)?.first).toBe(65_534);
});

test("a large table names where its bytes are", () => {
  expect(lookupIn(table([0, 0, 16], { BulkDataURI: "/bulk" }), "00283010")).toMatchObject({ url: "/bulk" });
});

test.each([
  ["too few entries", [3, 0, 16], 4],
  ["no bits", [1, 0, 0], 2],
  ["more bits than a word", [1, 0, 17], 2],
])("a table of %s is none", (_, descriptor, length) => {
  const stored = lookupIn(table(descriptor, { InlineBinary: btoa("\0".repeat(length)) }), "00283010");

  expect(stored && lookupOf(stored, stored.data ?? EMPTY, false)).toBeUndefined();
  expect(stored).toBeDefined();
});
