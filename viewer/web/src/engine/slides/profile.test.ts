import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { decodeTile } from "./fetchTile";
import { decoderOf, PIECE_BYTES_MAX, profileSegments } from "./profile";
import { aSlide } from "./slide.fixture";

const URL = "/api/slides/1.2/1.3/t/r1/icc";
const BITMAP = {} as ImageBitmap;
const TILE = new Blob([new Uint8Array([0xff, 0xd8, 1, 2, 3])], { type: "image/jpeg" });
const seen: Uint8Array[] = [];

async function decode(blob: Blob): Promise<ImageBitmap> {
  seen.push(new Uint8Array(await blob.arrayBuffer()));
  return BITMAP;
}

const fetching = vi.fn<typeof fetch>();

beforeEach(() => {
  seen.length = 0;
  fetching.mockReset();
  vi.stubGlobal("fetch", fetching);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("a profile", () => {
  test("is cut into numbered segments", async () => {
    const profile = new Uint8Array(PIECE_BYTES_MAX + 5).fill(7);

    const segments = new Uint8Array(await profileSegments(profile).arrayBuffer());

    const second = 2 + 0xffff;
    expect([...segments.subarray(0, 18)]).toEqual([0xff, 0xe2, 0xff, 0xff, ...NAME, 1, 2]);
    expect([...segments.subarray(second, second + 18)]).toEqual([0xff, 0xe2, 0, 21, ...NAME, 2, 2]);
    expect([...segments.subarray(second + 18)]).toEqual([7, 7, 7, 7, 7]);
  });

  test("that does not fit into a JPEG is left out", () => {
    expect(profileSegments(new Uint8Array(256 * PIECE_BYTES_MAX)).size).toBe(0);
  });

  test("is fetched once and stands behind the first marker of every tile", async () => {
    fetching.mockImplementation(async () => new Response(new Uint8Array([9, 8])));
    const decoder = decoderOf(aSlide({ icc: URL }), decode);

    await Promise.all([decodeTile(TILE, true, decoder), decodeTile(TILE, true, decoder)]);

    expect(fetching.mock.calls.map(([url]) => url)).toEqual([URL]);
    expect(seen.map((tile) => [...tile])).toEqual(
      Array(2).fill([0xff, 0xd8, 0xff, 0xe2, 0, 18, ...NAME, 1, 1, 9, 8, 1, 2, 3]),
    );
  });

  test("is not asked for where colors are not managed, nor where tiles have it", async () => {
    await decodeTile(TILE, false, decoderOf(aSlide({ icc: URL }), decode));
    await decodeTile(TILE, true, decoderOf(aSlide(), decode));

    expect(fetching).not.toHaveBeenCalled();
    expect(seen.map((tile) => tile.length)).toEqual([5, 5]);
  });

  test("that cannot be had keeps its tiles away until it can", async () => {
    fetching.mockImplementationOnce(async () => new Response("", { status: 503 }));
    fetching.mockImplementationOnce(() => Promise.reject(new TypeError("network")));
    fetching.mockImplementation(async () => new Response(new Uint8Array([9])));
    const decoder = decoderOf(aSlide({ icc: URL }), decode);

    const answers = [];
    for (let tries = 0; tries < 3; tries += 1) answers.push(await decodeTile(TILE, true, decoder));

    const unreachable = { kind: "problem", problem: "unreachable", waitMs: undefined };
    expect(answers).toEqual([unreachable, unreachable, { kind: "tile", bitmap: BITMAP }]);
  });
});

const NAME = [...new TextEncoder().encode("ICC_PROFILE"), 0];
