import { expect, test } from "vitest";
import { Prefetch } from "./prefetch";
import type { Step } from "./tiers";

interface Load {
  readonly imageId: string;
  readonly done: (loaded: boolean) => void;
  /** The reader went on before it was there. */
  readonly leave: () => void;
}

/** Steps to the first tier of frames; one in capitals is waited for. */
function steps(imageIds: string): Step[] {
  return [...imageIds].map((imageId) => ({ imageId, tier: 0, alone: imageId !== imageId.toLowerCase() }));
}

function aLine() {
  const loads: Load[] = [];
  const loaded = new Set<string>();
  const state = { room: true };
  const prefetch = new Prefetch({
    load: ({ imageId }) =>
      new Promise((resolve, reject) => {
        loads.push({
          imageId,
          done: (well) => {
            if (well) loaded.add(imageId);
            if (well) resolve(undefined);
            else reject(new Error("lost"));
          },
          leave: () => resolve(undefined),
        });
      }),
    isLoaded: ({ imageId }) => loaded.has(imageId),
    hasRoom: () => state.room,
  });
  const asked = () => loads.map((load) => load.imageId).join("");
  const settle = async (well = true) => {
    for (const load of loads) load.done(well);
    await new Promise((resolve) => setTimeout(resolve));
  };
  const leave = async () => {
    for (const load of loads) load.leave();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { prefetch, asked, settle, leave, state, loaded };
}

test("four frames are under way at once, in the order given", async () => {
  const { prefetch, asked, settle } = aLine();

  prefetch.follow(steps("abcdef"));
  expect(asked()).toBe("abcd");

  await settle();
  expect(asked()).toBe("abcdef");
});

test("a new order is followed at once, and nothing is loaded twice", async () => {
  const { prefetch, asked, settle } = aLine();

  prefetch.follow(steps("abcdef"));
  prefetch.follow(steps("fedcba"));
  await settle();

  expect(asked()).toBe("abcdfe");
});

test("what failed is left alone until it is asked for again", async () => {
  const { prefetch, asked, settle } = aLine();

  prefetch.follow(steps("a"));
  await settle(false);
  prefetch.follow(steps("a"));
  expect(asked()).toBe("a");

  prefetch.retry();
  expect(asked()).toBe("aa");
});

test("a full cache stops it", () => {
  const { prefetch, asked, state } = aLine();

  state.room = false;
  prefetch.follow(steps("abc"));

  expect(asked()).toBe("");
});

test("it stops when told to", async () => {
  const { prefetch, asked, settle } = aLine();

  prefetch.follow(steps("abcdef"));
  prefetch.stop();
  await settle();

  expect(asked()).toBe("abcd");
});

test("while somebody waits for a frame nothing else is asked for, but for another that is waited for", async () => {
  const { prefetch, asked, settle } = aLine();

  prefetch.follow(steps("Abc"));
  expect(asked()).toBe("A");
  prefetch.follow(steps("Bac"));
  expect(asked()).toBe("AB");

  await settle();
  expect(asked()).toBe("ABac");
});

test("a frame that was left before it was there is loaded when the reader comes back, and not before", async () => {
  const { prefetch, asked, leave } = aLine();

  prefetch.follow(steps("A"));
  await leave();
  expect(asked()).toBe("A");

  prefetch.follow(steps("A"));
  expect(asked()).toBe("AA");
});

test("a stack that comes back is loaded again, as its frames were given away", async () => {
  const { prefetch, asked, settle, loaded } = aLine();
  prefetch.follow(steps("ab"));
  await settle();

  loaded.clear();
  prefetch.forget();
  prefetch.follow(steps("ab"));

  expect(asked()).toBe("abab");
});
