// What a mark on an image says: lengths, angles, values and areas, from its places and the image's own scale. Pure.

import type { Frame } from "../frames/frame";
import type { ImagePoint } from "../frames/geometry";
import { type Calibration, type Length, lengthBetween, scaleOf } from "../frames/measure";
import { ellipse, polygon, type Samples, type Shape, type Spread, sampleAt, spreadOf } from "./shapes";

/** Marks with numbers. Names are keys of the language files (reading:tool.*). */
export type MeasuringTool =
  | "length"
  | "bidirectional"
  | "angle"
  | "cobb"
  | "probe"
  | "rectangle"
  | "ellipse"
  | "freehand";

export type MarkReading =
  | { readonly kind: "length"; readonly length: Length }
  | { readonly kind: "two"; readonly long: Length; readonly short: Length }
  | { readonly kind: "angle"; readonly degrees: number; readonly calibration: Calibration }
  | { readonly kind: "value"; readonly value: number; readonly unit: string; readonly suv: number | undefined }
  | {
      readonly kind: "region";
      readonly area: Area;
      readonly spread: Spread | undefined;
      readonly unit: string;
      readonly suv: RegionUptake | undefined;
    };

/** SUV by body weight, g/ml. */
interface RegionUptake {
  readonly mean: number;
  readonly highest: number;
}

interface Area {
  readonly value: number;
  readonly unit: "mm" | "px";
  readonly calibration: Calibration;
}

/** What samples of a frame count: Hounsfield units of a CT that does not say otherwise, or what the frame says. */
export function unitOf(frame: Frame): string {
  const { type } = frame.rescale;
  if (frame.modality === "CT" && (type === undefined || type === "HU")) return "HU";
  if (frame.uptake?.unit && (type === undefined || type === "US" || type === "BQML")) return frame.uptake.unit;
  return type === undefined || type === "US" ? "" : type;
}

/** SUV of a modality value, where the frame says all that it takes. */
function suvOf(value: number | undefined, { uptake }: Frame): number | undefined {
  return value === undefined || uptake?.factor === undefined ? undefined : value * uptake.factor;
}

/** Undefined while a mark has not all its places yet; `samples` undefined when the frame has no single values. */
export function readMark(
  tool: MeasuringTool,
  places: readonly ImagePoint[],
  frame: Frame,
  samples: Samples | undefined,
): MarkReading | undefined {
  const [a, b, c, d] = places;
  const between = (from: ImagePoint, to: ImagePoint) => lengthBetween(from, to, frame.spacing, frame.regions);
  switch (tool) {
    case "length":
      return a && b && { kind: "length", length: between(a, b) };
    case "bidirectional": {
      if (!(a && b && c && d)) return undefined;
      const [one, other] = [between(a, b), between(c, d)];
      return one.value >= other.value
        ? { kind: "two", long: one, short: other }
        : { kind: "two", long: other, short: one };
    }
    case "angle":
      return a && b && c && angleReading(b, a, b, c, frame);
    case "cobb": {
      if (!(a && b && c && d)) return undefined;
      const reading = angleReading(a, b, c, d, frame);
      return { ...reading, degrees: Math.min(reading.degrees, 180 - reading.degrees) };
    }
    case "probe": {
      const value = a && samples && sampleAt(a, samples);
      return value === undefined ? undefined : { kind: "value", value, unit: unitOf(frame), suv: suvOf(value, frame) };
    }
    default:
      return regionReading(shapeOf(tool, places), frame, samples);
  }
}

/** The angle between two lines, in the patient where pixels are not square, degrees from 0 to 180. */
function angleReading(a: ImagePoint, b: ImagePoint, c: ImagePoint, d: ImagePoint, frame: Frame) {
  const { rowMm, columnMm, calibration } = scaleOf([a, b, c, d], frame.spacing, frame.regions);
  const direction = (from: ImagePoint, to: ImagePoint) =>
    Math.atan2((to.row - from.row) * rowMm, (to.column - from.column) * columnMm);
  const turned = Math.abs(direction(a, b) - direction(c, d)) * (180 / Math.PI);
  return { kind: "angle", degrees: Math.min(turned, 360 - turned), calibration } as const;
}

function shapeOf(tool: "rectangle" | "ellipse" | "freehand", places: readonly ImagePoint[]): Shape | undefined {
  const [a, b, c, d] = places;
  if (tool === "freehand") return places.length < 3 ? undefined : polygon(places);
  if (!(a && b && c && d)) return undefined;
  // The renderer gives corners by rows, and the ends of an ellipse's axes in pairs.
  return tool === "rectangle" ? polygon([a, b, d, c]) : ellipse([a, b], [c, d]);
}

function regionReading(shape: Shape | undefined, frame: Frame, samples: Samples | undefined): MarkReading | undefined {
  if (!shape) return undefined;
  const { rowMm, columnMm, unit, calibration } = scaleOf(shape.outline, frame.spacing, frame.regions);
  const spread = samples && spreadOf(shape, samples);
  const [mean, highest] = [suvOf(spread?.mean, frame), suvOf(spread?.highest, frame)];
  return {
    kind: "region",
    area: { value: shape.area * rowMm * columnMm, unit, calibration },
    spread,
    unit: unitOf(frame),
    suv: mean === undefined || highest === undefined ? undefined : { mean, highest },
  };
}
