// What other documents of a study draw: on which image each mark lies, and where on it. Pure.

import type { Frame } from "../frames/frame";
import type { ImagePoint } from "../frames/geometry";
import { placeInImage } from "../stack/pointing";
import { type Line, outline, type Spot, type Words } from "./presentationState";

/** Of SCOORD: places in an image; of SCOORD3D: places in a frame of reference (PS3.3 C.18.6, C.18.9). */
export interface OthersShape {
  readonly graphic: string;
  readonly points: readonly (readonly number[])[];
  readonly sopInstanceUID: string;
  /** From one; none: all of the image. */
  readonly frames: readonly number[];
  readonly frameOfReferenceUID: string;
}

export interface OthersMark {
  /** What is written beside it. */
  readonly says: string;
  readonly shapes: readonly OthersShape[];
}

/** A place in space lies on a slice that is this near, or half as thick as that is far. */
const OFF_MM_MAX = 0.5;
/** Graphics that are drawn on one image; documents may hold any number. */
const GRAPHICS_MAX = 500;
const HALF = 0.5;

/** Where on the image the places of a shape are, from the first pixel's corner; none, when it is not on the image. */
function placesOn(shape: OthersShape, image: Frame): readonly ImagePoint[] {
  if (!shape.frameOfReferenceUID) {
    if (shape.sopInstanceUID !== image.sopInstanceUid) return [];
    if (shape.frames.length > 0 && !shape.frames.includes(image.frameNumber)) return [];
    return shape.points.map(([column = 0, row = 0]) => ({ column, row }));
  }
  if (shape.frameOfReferenceUID !== image.frameOfReferenceUid) return [];
  const off = Math.max(OFF_MM_MAX, (image.sliceThicknessMm ?? 0) * HALF);
  const places = shape.points.flatMap(([x = 0, y = 0, z = 0]) => {
    const at = placeInImage(image, [x, y, z]);
    return at && at.offMm <= off ? [{ column: at.column + HALF, row: at.row + HALF }] : [];
  });
  return places.length === shape.points.length ? places : [];
}

function drawn(shape: OthersShape, image: Frame): readonly (Line | Spot)[] {
  const units = "image";
  const places = placesOn(shape, image);
  if (places.length === 0) return [];
  switch (shape.graphic) {
    case "POINT":
    case "MULTIPOINT":
      return places.map((at) => ({ kind: "spot", units, at }));
    case "POLYLINE":
    case "POLYGON":
    case "CIRCLE":
    case "ELLIPSE":
      return [{ kind: "line", units, points: outline(shape.graphic, places), filled: false }];
    default:
      return [];
  }
}

/** What marks draw and write on an image; each mark's words are at its place that is farthest to the right. */
export function othersOn(marks: readonly OthersMark[], image: Frame): readonly (Line | Spot | Words)[] {
  const all = marks.flatMap(({ says, shapes }): (Line | Spot | Words)[] => {
    const graphics = shapes.flatMap((shape) => drawn(shape, image));
    const places = graphics.flatMap((one) => (one.kind === "line" ? one.points : [one.at]));
    const [first, ...others] = places;
    if (!first) return [];
    const at = others.reduce((right, place) => (place.column > right.column ? place : right), first);
    return says ? [...graphics, { kind: "words", units: "image", at, text: says }] : graphics;
  });
  return all.slice(0, GRAPHICS_MAX);
}
