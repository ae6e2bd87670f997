import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SIDE } from "./cover";
import type { DrawnTile } from "./tileMessages";

interface Scope {
  onmessage?: (event: { readonly data: unknown }) => Promise<void>;
  readonly postMessage: (told: DrawnTile) => void;
}

/** A worker's own scope, in which what it tells is kept. */
const told: DrawnTile[] = [];
const scope: Scope = { postMessage: (one) => told.push(one) };

/** A tile as the node sends it: its magic, numbers, and so many bytes. */
function aTile(magic: number, numbers: readonly number[], bytes: number): ArrayBuffer {
  const head = Uint32Array.of(magic, ...numbers);
  const tile = new Uint8Array(head.byteLength + bytes);
  tile.set(new Uint8Array(head.buffer));
  return tile.buffer;
}
const noMemory = () => {
  throw new RangeError("Array buffer allocation failed");
};

beforeEach(() => {
  vi.resetModules();
  told.length = 0;
  vi.stubGlobal("self", scope);
});
afterEach(() => vi.unstubAllGlobals());

test("a tile of a segmentation for whose picture there is no memory did not come", async () => {
  const tile = aTile(0x31475356, [1, 1], SIDE * SIDE);
  vi.stubGlobal("fetch", async () => new Response(tile.slice(0)));
  vi.stubGlobal(
    "ImageData",
    class {
      readonly data = new Uint8ClampedArray(4 * SIDE * SIDE);
    },
  );
  vi.stubGlobal("createImageBitmap", async () => noMemory());
  await import("./segments/worker");
  const segments = [{ number: 1, color: [255, 0, 0], opacity: 1 }];
  const inks = [{ tiles: "/tiles", query: "", segments }];

  await scope.onmessage?.({ data: { kind: "draw", order: 7, key: "0/0_0", inks } });

  expect(told).toEqual([{ kind: "drawn", order: 7, bitmap: undefined, failed: 1, busy: false }]);
});

test("a tile of bulk annotations for whose picture there is no memory did not come", async () => {
  const oneDot = aTile(0x31424156, [1, 0, 0, 0], 4);
  vi.stubGlobal("fetch", async () => new Response(oneDot.slice(0)));
  vi.stubGlobal(
    "OffscreenCanvas",
    class {
      readonly getContext = noMemory;
    },
  );
  await import("./bulk/worker");
  const inks = [{ group: 0, tiles: "/tiles", query: "", color: "#ffffff" }];

  await scope.onmessage?.({ data: { kind: "draw", order: 8, key: "0/0_0", inks } });

  expect(told).toEqual([{ kind: "drawn", order: 8, bitmap: undefined, failed: 1, busy: false }]);
});
