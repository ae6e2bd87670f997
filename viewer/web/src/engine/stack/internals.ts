// What is done to the pinned renderer from inside, and why.

import { type Types, utilities } from "@cornerstonejs/core";

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
