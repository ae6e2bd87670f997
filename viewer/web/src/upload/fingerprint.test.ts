import { createHash } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { fingerprintOf } from "./fingerprint";

type Element = readonly [number: number, vr: string, value: string];

function metaElement([number, vr, value]: Element): Uint8Array {
  const isLong = vr === "OB";
  const bytes = new Uint8Array((isLong ? 12 : 8) + value.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 2, true);
  view.setUint16(2, number, true);
  bytes.set(
    [...vr].map((one) => one.charCodeAt(0)),
    4,
  );
  if (isLong) view.setUint32(8, value.length, true);
  else view.setUint16(6, value.length, true);
  bytes.set(
    [...value].map((one) => one.charCodeAt(0)),
    bytes.length - value.length,
  );
  return bytes;
}

function aFile(elements: readonly Element[], dataSet: Uint8Array<ArrayBuffer>): Blob {
  const meta = elements.map((one) => new Uint8Array(metaElement(one)));
  return new Blob([new Uint8Array(128), "DICM", ...meta, dataSet]);
}

const USUAL: readonly Element[] = [
  [0x0000, "UL", "\x99\x99\0\0"], // a length that is wrong
  [0x0001, "OB", "\0\x01"],
  [0x0003, "UI", "1.2.3\0"],
  [0x0010, "UI", "1.2.840.10008.1.2.1\0"],
];

afterEach(() => vi.unstubAllGlobals());

test.each([
  ["by the browser's digest", (): unknown => crypto],
  ["by ours, over plain HTTP", (): unknown => ({})],
])(
  "an instance is told by its UID, its encoding and the digest of what stands behind the file meta, %s",
  async (_, its) => {
    vi.stubGlobal("crypto", its());
    const dataSet = Uint8Array.from({ length: 1_500_000 }, (_, index) => (index % 251) | 8);

    expect(await fingerprintOf(aFile(USUAL, dataSet))).toEqual({
      instance: "1.2.3",
      syntax: "1.2.840.10008.1.2.1",
      sha256: createHash("sha256").update(dataSet).digest("hex"),
    });
  },
);

test.each<[string, Blob]>([
  ["without a UID", aFile(USUAL.slice(0, 2), new Uint8Array([8, 0, 5, 0]))],
  ["that ends within its file meta", aFile(USUAL, new Uint8Array()).slice(0, 170)],
  ["that is no longer than its preamble", new Blob([new Uint8Array(132)])],
  ["that is gone", { slice: () => ({ arrayBuffer: () => Promise.reject(new Error("NotFoundError")) }) } as never],
])("a file %s is left to the node", async (_, file) => {
  expect(await fingerprintOf(file)).toBeUndefined();
});
