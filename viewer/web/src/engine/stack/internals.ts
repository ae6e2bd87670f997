// What is done to the pinned renderer from inside, and why.

import { type Types, utilities } from "@cornerstonejs/core";
import type { Curve } from "../frames/curve";

/** Fields of the pinned version's stack viewport; tests/browser watches that they still mean this. */
interface StackInternals {
  imageIds: string[];
  readonly imageKeyToIndexMap: Map<string, number>;
  currentImageIdIndex: number;
  targetImageIdIndex: number;
}

/**
 * Give the viewport more slices, the one at `index` being where it is. Nothing is drawn.
 *
 * The renderer's own way, `setStack`, forgets zoom, pan and window, and draws black in between; a stack that grows twice a
 * second would not be readable.
 */
export function growStack(viewport: Types.IStackViewport, imageIds: string[], index: number): void {
  const internals = viewport as unknown as StackInternals;
  internals.imageIds = imageIds;
  internals.imageKeyToIndexMap.clear();
  for (const [place, imageId] of imageIds.entries()) {
    internals.imageKeyToIndexMap.set(imageId, place);
    internals.imageKeyToIndexMap.set(utilities.imageIdToURI(imageId), place);
  }
  internals.currentImageIdIndex = index;
  internals.targetImageIdIndex = index;
}

/** Keep from tools a property that the CPU viewport tells and does not take: its magnifier sets what it was told. */
export function hideVoiLutFunction(viewport: Types.IStackViewport): void {
  const told = viewport.getProperties;
  viewport.getProperties = () => {
    const { VOILUTFunction: _, ...properties } = told();
    return properties;
  };
}

/** Draw no marks before there is a picture: until then the renderer cannot say where anything is, and throws. */
export function hideMarksUntilShown(viewport: Types.IStackViewport): void {
  const isViewable = viewport.isReferenceViewable.bind(viewport);
  viewport.isReferenceViewable = (...asked) => viewport.getImageData() !== undefined && isViewable(...asked);
}

/** What the CPU's renderer draws grey by, and the GPU's. */
interface Greys {
  readonly _cpuFallbackEnabledElement?: { readonly viewport?: { voiLUT?: object | undefined } };
  getTransferFunction(): TransferFunction | undefined;
}

interface TransferFunction {
  removeAllPoints(): void;
  addRGBPoint(x: number, red: number, green: number, blue: number): number;
}

/** Points that the GPU draws a curve by; it has no more colors than that. */
const CURVE_POINTS = 1024;
const bent = new WeakSet<object>();
const drawn = new WeakMap<object, DrawnCurve>();
let curvesMade = 0;

interface DrawnCurve {
  readonly curve: Curve | undefined;
  readonly inverted: boolean;
}

/** What `drawCurve` was asked for last. */
export function drawnCurveOf(viewport: object): DrawnCurve | undefined {
  return drawn.get(viewport);
}

/** Draw grey by a curve over the samples of the image that is shown; undefined: by the window that the viewport has. */
export function drawCurve(viewport: Types.IStackViewport, curve: Curve | undefined, inverted: boolean): void {
  const internals = viewport as unknown as Greys;
  drawn.set(viewport, { curve, inverted });
  const drawnBy = internals._cpuFallbackEnabledElement?.viewport;
  if (drawnBy) drawnBy.voiLUT = curve && tableFor(viewport.getCornerstoneImage(), curve);
  else if (curve) {
    bent.add(viewport);
    draw(internals, curve, Math.min(CURVE_POINTS, Math.max(Math.ceil(curve.upper - curve.lower), 1)), inverted);
  } else if (bent.delete(viewport)) {
    const { voiRange: range } = viewport.getProperties();
    if (range) draw(internals, { ...range, grey: (sample) => (sample > range.lower ? 1 : 0) }, 1, inverted);
  }
}

function draw(internals: Greys, { lower, upper, grey }: Curve, steps: number, inverted: boolean): void {
  const transfer = internals.getTransferFunction();
  transfer?.removeAllPoints();
  for (let step = 0; step <= steps; step += 1) {
    const at = lower + ((upper - lower) * step) / steps;
    const shown = inverted ? 1 - grey(at) : grey(at);
    transfer?.addRGBPoint(at, shown, shown, shown);
  }
}

/** A table as the CPU's renderer looks samples up; it shifts entries by as many bits as the largest has beyond eight. */
function tableFor({ minPixelValue: first, maxPixelValue: last }: Types.IImage, curve: Curve): object {
  const white = 255;
  const lut = Array.from({ length: last - first + 1 }, (_, at) => Math.round(curve.grey(first + at) * white));
  curvesMade += 1;
  return { id: `curve-${curvesMade}`, firstValueMapped: first, lut: [...lut, white, white] };
}
