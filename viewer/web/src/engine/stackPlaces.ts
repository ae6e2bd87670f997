// Places between the renderer's world and an image: for lengths and for the zoom that is told.

import { type Types, utilities } from "@cornerstonejs/core";
import type { Frame } from "./frame";
import { frameOf } from "./loader";
import { type Length, lengthBetween } from "./measure";

/** The length between two places given in the renderer's world. */
export function lengthOn(imageId: string, from: number[], to: number[]): Length | undefined {
  const frame = frameOf(imageId);
  const [a, b] = [from, to].map((end) => utilities.worldToImageCoords(imageId, end as Types.Point3));
  if (!frame || !a || !b) return undefined;
  const point = (place: Types.Point2) => ({ column: place[0], row: place[1] });
  return lengthBetween(point(a), point(b), frame.spacing, frame.regions);
}

/** Screen pixels per image pixel as the viewport stands, 1 being 1:1; device pixels, not CSS ones. */
export function scaleOf(viewport: Types.IStackViewport, frame: Frame | undefined): number {
  const ACROSS = 100;
  const left = viewport.canvasToWorld([0, 0]);
  const right = viewport.canvasToWorld([ACROSS, 0]);
  const world = Math.hypot(right[0] - left[0], right[1] - left[1], right[2] - left[2]);
  const pixelWorld = frame?.spacing?.calibration === "patient" ? frame.spacing.columnMm : 1;
  return world > 0 ? (ACROSS * pixelWorld * window.devicePixelRatio) / world : 1;
}
