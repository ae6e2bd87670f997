import { beforeEach, describe, expect, test } from "vitest";
import { Cine } from "./cine";

let index = 0;
let ready: (at: number) => boolean = () => true;
let callback: ((nowMs: number) => void) | undefined;
const COUNT = 4;

function aCine(): Cine {
  return new Cine(
    {
      count: () => COUNT,
      index: () => index,
      isReady: (at) => ready(at),
      show: (at) => {
        index = at;
      },
    },
    {
      request: (next) => {
        callback = next;
        return 1;
      },
      cancel: () => {
        callback = undefined;
      },
    },
  );
}

/** The screen refreshes sixty times a second from `fromMs` until `toMs`. */
function refresh(fromMs: number, toMs: number): void {
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 1000 / 60) callback?.(nowMs);
}

beforeEach(() => {
  index = 0;
  ready = () => true;
  callback = undefined;
});

describe("a film", () => {
  test("keeps its rate whatever the screen's", () => {
    const cine = aCine();
    cine.setRate(10);
    cine.play();

    let shown = 0;
    let last = index;
    for (let nowMs = 1000; nowMs < 3000; nowMs += 1000 / 60) {
      callback?.(nowMs);
      if (index !== last) shown += 1;
      last = index;
    }

    expect(shown).toBeGreaterThanOrEqual(19);
    expect(shown).toBeLessThanOrEqual(21);
  });

  test("begins again after the last frame", () => {
    index = COUNT - 1;
    const cine = aCine();
    cine.play();

    callback?.(1000);

    expect(index).toBe(0);
  });

  test("waits for a frame that has not come", () => {
    ready = (at) => at !== 2;
    const cine = aCine();
    cine.play();

    refresh(1000, 3000);

    expect(index).toBe(1);
  });

  test("stops when told to", () => {
    const cine = aCine();
    cine.play();
    cine.stop();

    expect(cine.playing).toBe(false);
    expect(callback).toBeUndefined();
  });
});
