// Places between the renderer's world and an image: for what marks say and for the zoom that is told.

import { cache, getShouldUseCPURendering, type Types, utilities } from "@cornerstonejs/core";
import type { Frame } from "../frames/frame";
import { type ImagePoint, minus, norm, type Orientation, unit, type Vector } from "../frames/geometry";
import { type LevelScale, PLAIN, valueAt } from "../frames/levels";
import { tierOf } from "../loading/frameStates";
import { frameOf, holdsModalityValues, keptValuesOf, levelScaleOf } from "../loading/loader";
import { WHOLE } from "../loading/tiers";
import { type MarkReading, type MeasuringTool, readMark } from "../marks/marks";
import type { Samples } from "../marks/shapes";
import { placeInImage, placeInPatient } from "./pointing";

const HALF = 0.5;

/** What a mark says whose places are given in the renderer's world. */
export function readingOn(tool: MeasuringTool, imageId: string, places: readonly number[][]): MarkReading | undefined {
  const frame = frameOf(imageId);
  if (!frame) return undefined;
  const points = places.flatMap((place) => pointOf(imageId, place) ?? []);
  return readMark(tool, points, frame, samplesOf(imageId, frame));
}

/** The place in the patient under a place on the element, CSS pixels. */
export function patientAt(viewport: Types.IStackViewport, frame: Frame, place: Types.Point2): Vector | undefined {
  const point = pointOf(frame.imageId, viewport.canvasToWorld(place));
  return point && placeInPatient(frame, { column: point.column - HALF, row: point.row - HALF });
}

/** Where on the element a place in the patient is, seen along the normal of the frame's plane; the inverse of `patientAt`. */
export function elementAt(viewport: Types.IStackViewport, frame: Frame, place: Vector): Types.Point2 | undefined {
  const point = placeInImage(frame, place);
  if (!point) return undefined;
  const world = worldOf(frame.imageId, { column: point.column + HALF, row: point.row + HALF });
  return world && viewport.worldToCanvas(world);
}

/** Columns and rows from the corner of the first pixel. The CPU renderer's world is half a pixel off, its GPU one not. */
export function pointOf(imageId: string, place: readonly number[]): ImagePoint | undefined {
  const coords = utilities.worldToImageCoords(imageId, place as Types.Point3);
  const shift = getShouldUseCPURendering() ? HALF : 0;
  return coords && { column: coords[0] - shift, row: coords[1] - shift };
}

/** Real values, never rounded to what is drawn. */
export function modalityValuesOf(imageId: string, frame: Frame): Samples | undefined {
  const image = cache.getImage(imageId);
  if (!image || image.color) return undefined;
  const { rows, columns } = image;
  const kept = keptValuesOf(imageId);
  if (kept) return { rows, columns, values: kept };
  const drawn = image.getPixelData();
  const scale = valueScaleOf(imageId, frame);
  if (scale.step === 1 && scale.first === 0) return { rows, columns, values: drawn };
  return { rows, columns, values: Float64Array.from(drawn, (sample) => valueAt(sample, scale)) };
}

/** What the samples that are drawn stand for. */
export function valueScaleOf(imageId: string, { rescale }: Frame): LevelScale {
  if (holdsModalityValues(imageId)) return PLAIN;
  return levelScaleOf(imageId) ?? { first: rescale.intercept, step: rescale.slope };
}

/** Undefined while only a preview of the image is here: its samples are not those that are stored. */
export function samplesOf(imageId: string, frame: Frame): Samples | undefined {
  return tierOf(imageId) === WHOLE ? modalityValuesOf(imageId, frame) : undefined;
}

/** The other way: a place of the image in the renderer's world. */
export function worldOf(imageId: string, { column, row }: ImagePoint): Types.Point3 | undefined {
  const shift = getShouldUseCPURendering() ? HALF : 0;
  const world = utilities.imageToWorldCoords(imageId, [column + shift, row + shift]);
  return world ? ([...world] as Types.Point3) : undefined;
}

/** Where the screen's right and down are in the world, as unit vectors. */
export function axesOf(viewport: Types.IStackViewport): Orientation {
  const ACROSS = 100;
  const [origin, right, down] = (
    [
      [0, 0],
      [ACROSS, 0],
      [0, ACROSS],
    ] as Types.Point2[]
  ).map((place) => viewport.canvasToWorld(place)) as [Types.Point3, Types.Point3, Types.Point3];
  return { row: unit(minus(right, origin)), column: unit(minus(down, origin)) };
}

/** Screen pixels per image pixel as the viewport stands, 1 being 1:1; device pixels, not CSS ones. */
export function scaleOf(viewport: Types.IStackViewport, frame: Frame | undefined): number {
  const ACROSS = 100;
  const left = viewport.canvasToWorld([0, 0]);
  const right = viewport.canvasToWorld([ACROSS, 0]);
  const world = norm(minus(right, left));
  const pixelWorld = frame?.spacing?.calibration === "patient" ? frame.spacing.columnMm : 1;
  return world > 0 ? (ACROSS * pixelWorld * window.devicePixelRatio) / world : 1;
}
