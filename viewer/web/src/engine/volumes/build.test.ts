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
  /** Of each slice that was asked for: let it come. */
  asked: undefined as (() => void)[] | undefined,
}));
const MODALITY_VALUE = 7;
const STORED_VALUE = 9000;
const SOON = { interval: 1 };
vi.mock("../stack/cornerstone", () => ({ startCornerstone: () => "cpu" }));
vi.mock("../stack/stackPlaces", () => ({
  modalityValuesOf: (_: string, { displayIgnored }: Frame) => ({
    values: new Float32Array(120).fill(displayIgnored === "modalityLut" ? STORED_VALUE : MODALITY_VALUE),
  }),
}));
vi.mock("../loading/loader", () => ({
  addFrames: () => undefined,
  removeFrames: () => undefined,
  reach: () => new Promise<void>((resolve) => (loaded.asked ? loaded.asked.push(resolve) : resolve())),
  frameOf: (imageId: string) => loaded.frames.get(imageId),
  voiLookupOf: () => loaded.lookup,
}));

const WINDOW = { center: 40, width: 400 };
const LOOKUP: Lookup = { first: -100, bits: 8, entries: Uint16Array.of(0, 100, 255) };
const more = { rescale: { slope: 1, intercept: 0, type: "HU", told: true }, window: WINDOW };
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
  loaded.asked = undefined;
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

test("the windows of a volume are gone through one after another, by the slice that speaks for it", async () => {
  const bone = { center: 600, width: 2800 };
  const windows = [WINDOW, bone].map((window) => ({ window, explanation: "" }));
  for (const frame of FRAMES) loaded.frames.set(frame.imageId, { ...frame, windows });
  const made = build({ id: "1", frames: FRAMES } as unknown as Stack);
  await vi.waitFor(() => expect(made?.gathering.progress.get().here).toBe(FRAMES.length), SOON);

  const shown = [1, 2].map(() => {
    made?.mpr.nextWindow();
    return made?.mpr.state.get();
  });

  expect(shown).toMatchObject([
    { window: bone, own: false },
    { window: WINDOW, own: true },
  ]);
});

test("a volume of stored values is shown over all of them, and says so", async () => {
  for (const frame of FRAMES) loaded.frames.set(frame.imageId, asStored(frame));

  const { state, brought, progress } = await whole();

  expect(brought.ignored).toBe("modalityLut");
  expect(state.window).not.toEqual(WINDOW);
  expect(progress.missing).toBe(0);
});

/** The reconstruction when every slice came, of those that were asked for the one that is chosen each time. */
async function inTurn(damaged: readonly boolean[], choose: (asked: (() => void)[]) => (() => void) | undefined) {
  loaded.frames.clear();
  for (const [index, frame] of FRAMES.entries()) if (damaged[index]) loaded.frames.set(frame.imageId, asStored(frame));
  const asked: (() => void)[] = [];
  loaded.asked = asked;
  const made = build({ id: "1", frames: FRAMES } as unknown as Stack);
  if (!made) throw new Error("no volume");
  for (let came = 1; came <= FRAMES.length; came += 1) {
    choose(asked)?.();
    await vi.waitFor(() => {
      const { here, missing } = made.gathering.progress.get();
      expect(here + missing).toBe(came);
    }, SOON);
  }
  const { volume, state, brought } = made.mpr;
  return {
    values: [...volume.filled].map((isHere, slice) => (isHere ? volume.values[slice * 120] : undefined)),
    shownBy: [state.get().window, { ...brought.get(), presets: undefined }],
    presets: brought.get().presets.map(({ name }) => name),
    progress: made.gathering.progress.get(),
  };
}

const EVERY_CASE = Array.from({ length: 2 ** FRAMES.length }, (_, bits) =>
  FRAMES.map((_, at) => (bits >> at) % 2 === 1),
);

test("slices of stored values are missing among those of modality values, whichever came first", async () => {
  for (const damaged of EVERY_CASE) {
    const all = damaged.every(Boolean);
    const kept = all ? 5 : damaged.filter((one) => !one).length;

    const [first, last] = [
      await inTurn(damaged, (asked) => asked.shift()),
      await inTurn(damaged, (asked) => asked.pop()),
    ];

    expect(first).toEqual(last);
    expect(first.values).toEqual(damaged.map((one) => (all ? STORED_VALUE : one ? undefined : MODALITY_VALUE)));
    expect(first.progress).toEqual({ count: 5, here: kept, missing: 5 - kept });
    const unit = all ? { ignored: "modalityLut", unit: "" } : { ignored: undefined, unit: "HU" };
    expect(first.shownBy[1]).toMatchObject(unit);
    expect(first.presets).toEqual(
      all ? ["own", "full", "contrastHigh", "contrastLow"] : expect.arrayContaining(["lung"]),
    );
  }
});
