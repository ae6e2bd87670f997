import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Camera } from "./camera";
import { Foresight } from "./foresight";
import { Pace } from "./pace";
import { aSlide, CAMERA } from "./slide.fixture";

const LOOKED_MS = 1_000;
/** A screen of 200 x 200 pixels in the middle of four tiles. */
const at = (x: number, y: number): Camera => ({ ...CAMERA, center: { x, y }, zoom: 1, width: 200, height: 200 });
const HERE = at(1000, 1000);
let asked: string[] = [];
let pace: Pace;

function foresight(): Foresight {
  return new Foresight(aSlide(), ({ octave, column, row }) => `${octave}/${column}_${row}`, pace);
}

beforeEach(() => {
  asked = [];
  pace = new Pace();
  vi.useFakeTimers();
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url);
    return new Response(url);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("while a reader looks at a field", () => {
  test("nothing is fetched before all of the field itself is there", async () => {
    const ahead = foresight();

    ahead.look(HERE, false);
    await vi.advanceTimersByTimeAsync(LOOKED_MS);

    expect(asked).toEqual([]);
  });

  test("the next field of a walk is fetched at once, but for what is seen already", async () => {
    const ahead = foresight();
    ahead.walked(HERE.center, at(1180, 1000));

    ahead.look(HERE, true);
    await vi.advanceTimersByTimeAsync(0);

    expect(asked).toEqual(["0/5_3", "0/5_4"]);
    expect(await (await ahead.take("0/5_3"))?.text()).toBe("0/5_3");
  });

  test("what lies around is fetched when they stay, where they came from last", async () => {
    const ahead = foresight();
    ahead.look(at(800, 1000), true);
    ahead.look(HERE, false);

    ahead.look(HERE, true);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(LOOKED_MS);

    expect(asked).toHaveLength(12);
    expect(asked.slice(0, 2).toSorted()).toEqual(["0/5_3", "0/5_4"]);
    expect(asked.slice(-2).every((url) => url.startsWith("0/2_"))).toBe(true);
  });

  test("what lies around is left out on a slow line, and the next field of a walk is not", async () => {
    const ahead = foresight();
    for (let tiles = 0; tiles < 8; tiles += 1) pace.note(700);
    ahead.walked(HERE.center, at(1180, 1000));

    ahead.look(HERE, true);
    await vi.advanceTimersByTimeAsync(LOOKED_MS);

    expect(asked).toEqual(["0/5_3", "0/5_4"]);
  });

  test("nothing is fetched ahead for whoever asked their browser to save data", async () => {
    vi.stubGlobal("navigator", { connection: { saveData: true } });
    const ahead = foresight();
    ahead.walked(HERE.center, at(1180, 1000));

    ahead.look(HERE, true);
    await vi.advanceTimersByTimeAsync(LOOKED_MS);

    expect(asked).toEqual([]);
  });
});

describe("when they move on", () => {
  test("nothing more of the field before is asked for", async () => {
    const ahead = foresight();
    ahead.look(HERE, true);

    ahead.look(at(1300, 1000), false);
    await vi.advanceTimersByTimeAsync(LOOKED_MS);

    expect(asked).toEqual([]);
  });

  test("off the walk, its next field is forgotten", async () => {
    const ahead = foresight();
    for (let tiles = 0; tiles < 8; tiles += 1) pace.note(700);
    ahead.walked(HERE.center, at(1180, 1000));

    ahead.look(at(1300, 700), true);
    ahead.look(HERE, true);
    await vi.advanceTimersByTimeAsync(LOOKED_MS);

    expect(asked).toEqual([]);
  });

  test("to another layer, what was fetched of this one is given up", async () => {
    const ahead = foresight();
    ahead.walked(HERE.center, at(1180, 1000));
    ahead.look(HERE, true);
    await vi.advanceTimersByTimeAsync(0);

    ahead.forget();

    expect(ahead.take("0/5_3")).toBeUndefined();
  });
});
