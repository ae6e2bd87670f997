import { beforeEach, expect, test, vi } from "vitest";
import { asStored } from "../frames/damagedTables";
import type { Frame } from "../frames/frame";
import type { Lookup } from "../frames/lookup";
import type { Stack } from "../frames/stacks";
import { build } from "./build";
import { slice } from "./stack.fixture";

/** What became known of frames as they were loaded. */
const loaded = vi.hoisted(() => ({
  frames: new Map<string, unknown>(),
  lookup: undefined as unknown,
}));
vi.mock("../stack/cornerstone", () => ({ startCornerstone: () => "cpu" }));
vi.mock("../stack/stackPlaces", () => ({ modalityValuesOf: () => ({ values: new Float32Array(120).fill(7) }) }));
vi.mock("../loading/loader", () => ({
  addFrames: () => undefined,
  removeFrames: () => undefined,
  reach: () => Promise.resolve(),
  frameOf: (imageId: string) => loaded.frames.get(imageId),
  voiLookupOf: () => loaded.lookup,
}));

const WINDOW = { center: 40, width: 400 };
const LOOKUP: Lookup = { first: -100, bits: 8, entries: Uint16Array.of(0, 100, 255) };
const more = { rescale: { slope: 1, intercept: 0, type: "HU" }, window: WINDOW };
const FRAMES: readonly Frame[] = [0, 5, 10, 15, 20].map((z) => slice([0, 0, z], more));

/** The reconstruction when every slice came. */
async function whole(choose: (made: NonNullable<ReturnType<typeof build>>) => void = () => undefined) {
  const made = build({ id: "1", frames: FRAMES } as unknown as Stack);
  if (!made) throw new Error("no volume");
  choose(made);
  await vi.waitFor(() => {
    const { here, missing } = made.gathering.progress.get();
    expect(here + missing).toBe(FRAMES.length);
  });
  return { state: made.mpr.state.get(), brought: made.mpr.brought.get(), progress: made.gathering.progress.get() };
}

beforeEach(() => {
  loaded.frames.clear();
  loaded.lookup = undefined;
});

test("a volume is shown by the window of its images, or by their table once that is here", async () => {
  expect((await whole()).state).toMatchObject({ window: WINDOW, lookup: undefined });

  loaded.lookup = LOOKUP;
  expect((await whole()).state.lookup).toBe(LOOKUP);
});

test("a window that the reader chose stays when the table comes", async () => {
  loaded.lookup = LOOKUP;
  const brain = { center: 40, width: 80 };

  expect((await whole(({ mpr }) => mpr.setWindow(brain))).state).toMatchObject({ window: brain, lookup: undefined });
});

test("a volume of stored values is shown over all of them, and says so", async () => {
  for (const frame of FRAMES) loaded.frames.set(frame.imageId, asStored(frame));

  const { state, brought, progress } = await whole();

  expect(brought.ignored).toBe("modalityLut");
  expect(state.window).not.toEqual(WINDOW);
  expect(progress.missing).toBe(0);
});

test("slices of stored values are missing among those of modality values", async () => {
  const [first] = FRAMES;
  if (first) loaded.frames.set(first.imageId, asStored(first));

  expect((await whole()).progress).toEqual({ count: 5, here: 4, missing: 1 });
});
