import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { JsonDataSet } from "../frames/dicomJson";
import { framesOf } from "../frames/frame";
import { Layers } from "./layers";
import { segmentationOf } from "./segmentation";

const value = (...Value: unknown[]) => ({ vr: "UN", Value });
const sequence = (...Value: JsonDataSet[]) => ({ vr: "SQ", Value });
const SIZE = { "00280010": value(8), "00280011": value(8), "00280100": value(8) };
const [IMAGE] = framesOf({ ...SIZE, "00080018": value("1.1") }, "/images");
const MAP = segmentationOf(
  {
    ...SIZE,
    "00080016": value("1.2.840.10008.5.1.4.1.1.66.7"),
    "00080018": value("1.5"),
    "00620001": value("LABELMAP"),
    "00620002": sequence({ "00620004": value(1) }),
    "52009230": sequence({ "00089124": sequence({ "00082112": sequence({ "00081155": value("1.1") }) }) }),
  },
  "/segmentations",
);

/** How often the node was asked for the segmentation's frame by the time that nothing is on its way any more. */
async function askedAfterDrawing(layers: Layers): Promise<number> {
  if (IMAGE) layers.on(IMAGE);
  await vi.runAllTimersAsync();
  return vi.mocked(fetch).mock.calls.length;
}

function layersOfMap(): Layers {
  const layers = new Layers();
  layers.setSegmentations(MAP ? [MAP] : []);
  return layers;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a segmentation that did not come while the line was broken is asked for again when its image is drawn again", async () => {
  vi.stubGlobal("fetch", vi.fn().mockRejectedValue(new TypeError("no line")));
  const layers = layersOfMap();

  const once = await askedAfterDrawing(layers);
  const twice = await askedAfterDrawing(layers);

  expect(once).toBeGreaterThan(0);
  expect(twice).toBe(2 * once);
});

test("one that the node refuses is asked for once", async () => {
  vi.stubGlobal("fetch", vi.fn().mockResolvedValue(new Response(null, { status: 404 })));
  const layers = layersOfMap();

  expect([await askedAfterDrawing(layers), await askedAfterDrawing(layers)]).toEqual([1, 1]);
});
