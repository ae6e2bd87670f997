// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createStore } from "../emitter";
import type { Camera } from "./camera";
import { keyOf } from "./cover";
import { aSlide, CAMERA } from "./slide.fixture";
import type { SlideView } from "./slideView";
import { TileLayer } from "./tileLayer";
import type { DrawnTile, DrawOrder } from "./tileMessages";

/** Looks at the corner that four tiles of the finest octave have in common. */
const CLOSE: Camera = { ...CAMERA, center: { x: 1024, y: 1024 }, zoom: 1 };
const PARALLEL = 3;

class PlainLayer extends TileLayer<string> {
  answer(drawn: Partial<DrawnTile> & Pick<DrawnTile, "order">): void {
    this.hear({ kind: "drawn", bitmap: undefined, failed: 0, busy: false, ...drawn });
  }

  protected override over(): void {
    // Nothing lies over it.
  }
}

interface Put {
  readonly what: "clear" | "draw";
  readonly at: readonly number[];
}

function aLayer(from: Camera) {
  const posted: DrawOrder<string>[] = [];
  const workers: Worker[] = [];
  const start = () => {
    const worker = { postMessage: (order: DrawOrder<string>) => posted.push(order), terminate: vi.fn() };
    workers.push(worker as unknown as Worker);
    return worker as unknown as Worker;
  };
  const camera = createStore(from);
  const view = { element: document.createElement("div"), slide: aSlide(), camera, over: new Set<PlainLayer>() };
  const layer = new PlainLayer(view as unknown as SlideView, start, "va");
  return { layer, camera, posted, workers, over: view.over };
}
const aBitmap = () => ({ close: vi.fn() }) as unknown as ImageBitmap;
const frame = () => vi.advanceTimersToNextFrame();
let puts: Put[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  puts = [];
  const context = {
    setTransform: () => undefined,
    clearRect: (...at: number[]) => puts.push({ what: "clear", at }),
    drawImage: (_: unknown, ...at: number[]) => puts.push({ what: "draw", at }),
  };
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation((() => context) as never);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("while a hand is at the slider the worker is asked for no more than it gets done, and then for the last", () => {
  const { layer, posted } = aLayer(CLOSE);
  for (let step = 0; step < 10; step += 1) {
    layer.show([`opacity ${step}`]);
    frame();
  }
  expect(posted.map(({ inks }) => inks)).toEqual(Array(PARALLEL).fill(["opacity 0"]));

  const bitmaps = posted.map(({ order }) => {
    const bitmap = aBitmap();
    layer.answer({ order, bitmap });
    return bitmap;
  });
  frame();

  expect(bitmaps.every(({ close }) => vi.mocked(close).mock.calls.length === 1)).toBe(true);
  expect(posted.slice(PARALLEL).map(({ inks }) => inks)).toEqual(Array(PARALLEL).fill(["opacity 9"]));
});

test("what comes after the slide has gone is let go of, and nothing more is asked for", () => {
  const { layer, posted } = aLayer(CLOSE);
  layer.show(["tumor"]);
  frame();
  layer.answer({ order: 1, busy: true });
  frame();
  const asked = posted.length;

  layer.destroy();
  const late = aBitmap();
  layer.answer({ order: 2, bitmap: late });
  vi.runAllTimers();

  expect(late.close).toHaveBeenCalledOnce();
  expect(posted.length).toBe(asked);
});

test("a worker that cannot be started is told of, asked nothing, and another is started for the next try", () => {
  const { layer, posted, workers } = aLayer(CLOSE);
  layer.show(["tumor"]);
  frame();
  layer.answer({ order: 1, busy: true });
  frame();
  expect(layer.busy.get()).toBe(true);

  workers[0]?.onerror?.({} as ErrorEvent);
  const asked = posted.length;
  vi.runAllTimers();

  expect([layer.failed.get(), layer.busy.get(), layer.isWhole()]).toEqual([true, false, false]);
  expect(workers[0]?.terminate).toHaveBeenCalledOnce();
  expect(posted.length).toBe(asked);

  layer.show(["tumor"]);
  frame();
  for (const { order } of posted.slice(asked)) {
    const drawn: DrawnTile = { kind: "drawn", order, bitmap: undefined, failed: 0, busy: false };
    workers[1]?.onmessage?.({ data: drawn } as MessageEvent);
  }
  frame();

  expect(workers).toHaveLength(2);
  expect(posted.length).toBe(asked + PARALLEL + 1);
  expect(layer.failed.get()).toBe(false);
});

test("it is whole when all that one looks at came, and not when a part did not", () => {
  const { layer, camera, posted, over } = aLayer({ ...CLOSE, zoom: 0.5 });
  const isWhole = () => [...over].every((one) => one.isWhole());
  const answer = (failed: number) => {
    frame();
    for (const { order } of posted.splice(0)) layer.answer({ order, failed });
    return isWhole();
  };
  expect(isWhole()).toBe(true);

  layer.show(["tumor"]);
  expect(isWhole()).toBe(false);
  expect(answer(0)).toBe(true);
  camera.set(CLOSE);
  expect(isWhole()).toBe(false);
  layer.show(["stroma"]);
  expect([answer(1), answer(0)]).toEqual([false, false]);

  layer.destroy();
  expect(isWhole()).toBe(true);
});

test("a tile takes the place of the coarser one that stood for it, also when there is nothing in it", () => {
  const { layer, camera, posted } = aLayer({ ...CLOSE, zoom: 0.5 });
  layer.show(["tumor"]);
  frame();
  expect(posted[0]?.key).toBe(keyOf({ octave: 1, column: 0, row: 0 }));
  for (const { order } of posted.slice()) layer.answer({ order, bitmap: aBitmap() });

  camera.set(CLOSE);
  frame();
  const near = posted.find(({ key }) => key === keyOf({ octave: 0, column: 1, row: 0 }));
  puts = [];
  layer.answer({ order: near?.order ?? 0, bitmap: undefined });
  frame();

  expect(puts.at(-1)).toEqual({ what: "clear", at: [1024, 0, 1024, 1024] });
  expect(puts.filter(({ what }) => what === "draw")).toContainEqual({ what: "draw", at: [0, 0, 2048, 2048] });
});
