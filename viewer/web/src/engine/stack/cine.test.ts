import { beforeEach, describe, expect, test } from "vitest";
import { Cine, rateBeside, rateOf } from "./cine";

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

describe("rates", () => {
  test.each([
    [15, 1, 20],
    [15, -1, 12],
    [33, 1, 40],
    [33, -1, 30],
    [60, 1, 60],
    [1, -1, 1],
  ] as const)("from %i a key leads by %i to %i", (rate, by, next) => {
    expect(rateBeside(rate, by)).toBe(next);
  });

  test.each([
    [undefined, 15],
    [29.97, 30],
    [0.2, 1],
    [500, 60],
  ])("an image that asks for %s is shown at %i", (wanted, rate) => {
    expect(rateOf(wanted)).toBe(rate);
  });
});
