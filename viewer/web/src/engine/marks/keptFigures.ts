// The numbers that go with a mark when it is kept: those that the reader sees beside it. Pure.

import type { Frame } from "../frames/frame";
import type { ImagePoint } from "../frames/geometry";
import { type Calibration, lengthBetween } from "../frames/measure";
import { type MeasuringTool, readMark } from "./marks";
import type { Samples } from "./shapes";

export type MarkKind = MeasuringTool | "arrow";
type Quantity =
  | "length"
  | "long"
  | "short"
  | "angle"
  | "cobb"
  | "value"
  | "area"
  | "mean"
  | "deviation"
  | "lowest"
  | "highest";
type Unit = "mm" | "px" | "mm2" | "px2" | "deg" | "HU" | "SUVbw" | "";

interface Figure {
  readonly quantity: Quantity;
  readonly value: number;
  readonly unit: Unit;
}

export interface Figures {
  readonly figures: readonly Figure[];
  readonly calibration: Calibration;
}

const NONE: Figures = { figures: [], calibration: "none" };

/** Units that the archive knows by name; samples in others are kept as plain numbers. */
function unitOf(unit: string): Unit {
  return unit === "HU" || unit === "SUVbw" ? unit : "";
}

export function figuresOf(
  kind: MarkKind,
  places: readonly ImagePoint[],
  frame: Frame,
  samples: Samples | undefined,
): Figures {
  const reading = kind === "arrow" ? undefined : readMark(kind, places, frame, samples);
  switch (reading?.kind) {
    case "length": {
      const { value, unit, calibration } = reading.length;
      return { figures: [{ quantity: "length", value, unit }], calibration };
    }
    case "two": {
      const { long, short } = reading;
      const lines = [
        { quantity: "long", value: long.value, unit: long.unit },
        { quantity: "short", value: short.value, unit: short.unit },
      ] as const;
      const calibration = long.calibration === short.calibration ? long.calibration : "none";
      return { figures: isFirstLong(places, frame) ? lines : [lines[1], lines[0]], calibration };
    }
    case "angle":
      return {
        figures: [{ quantity: kind === "cobb" ? "cobb" : "angle", value: reading.degrees, unit: "deg" }],
        calibration: reading.calibration,
      };
    case "value":
      return {
        figures: [{ quantity: "value", value: reading.value, unit: unitOf(reading.unit) }],
        calibration: "none",
      };
    case "region": {
      const { area, spread } = reading;
      const unit = unitOf(reading.unit);
      const ofSamples: readonly Figure[] = spread
        ? (["mean", "deviation", "lowest", "highest"] as const).map((quantity) => ({
            quantity,
            value: spread[quantity],
            unit,
          }))
        : [];
      const square = area.unit === "mm" ? "mm2" : "px2";
      return {
        figures: [{ quantity: "area", value: area.value, unit: square }, ...ofSamples],
        calibration: area.calibration,
      };
    }
    default:
      return NONE;
  }
}

/** Of a bidirectional mark's two lines; the figures are kept in their order. */
function isFirstLong([a, b, c, d]: readonly ImagePoint[], frame: Frame): boolean {
  if (!(a && b && c && d)) return true;
  const length = (from: ImagePoint, to: ImagePoint) => lengthBetween(from, to, frame.spacing, frame.regions).value;
  return length(a, b) >= length(c, d);
}
