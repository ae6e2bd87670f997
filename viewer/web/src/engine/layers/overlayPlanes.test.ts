import { expect, test } from "vitest";
import { bitsOf, overlayPlanesOf } from "./overlayPlanes";

const one = (value: unknown) => ({ vr: "US", Value: [value] });
const PLANE = {
  "00080018": one("1.2.3"),
  "60020010": one(2),
  "60020011": one(5),
  "60020050": { vr: "SS", Value: [3, -1] },
  "60020100": one(1),
  "60023000": { vr: "OW", InlineBinary: btoa("\x81\x01") },
};

test("an overlay plane is placed by its origin, which counts from one", () => {
  expect(overlayPlanesOf(PLANE)).toMatchObject([
    { group: "6002", rows: 2, columns: 5, row: 2, column: -2, firstFrame: 1, frames: 1, url: undefined },
  ]);
});

test("large ones name where their bytes are", () => {
  const [plane] = overlayPlanesOf({ ...PLANE, "60023000": { vr: "OW", BulkDataURI: "/bulk" } });
  expect(plane).toMatchObject({ data: undefined, url: "/bulk" });
});

test.each([
  ["the retired kind in unused bits of the pixels", { "60020100": one(16) }],
  ["one without data", { "60023000": { vr: "OW" } }],
  ["one of an absurd size", { "60020010": one(65_535) }],
])("%s is not shown", (_, changed) => {
  expect(overlayPlanesOf({ ...PLANE, ...changed })).toEqual([]);
});

test("bits come least significant first, and frames follow one another without padding", () => {
  expect([...bitsOf(Uint8Array.of(0x81, 0x01), 10)]).toEqual([1, 0, 0, 0, 0, 0, 0, 1, 1, 0]);
  expect([...bitsOf(Uint8Array.of(0x81, 0x01), 5, 1)]).toEqual([0, 0, 1, 1, 0]);
});
