// Grayscale softcopy presentation states (PS3.3 A.33, C.10.5, C.11): what somebody drew and wrote on an image, and how it
// was shown. Pure.

import { items, type JsonDataSet, number, numbers, text } from "../frames/dicomJson";
import type { Frame } from "../frames/frame";
import type { ImagePoint } from "../frames/geometry";
import { type VoiWindow, windowOfFunction } from "../frames/windowing";
import { type DisplayedArea, displayedAreasOf } from "./displayedArea";
import { imagesIn } from "./references";

const PRESENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.11.1";
/** Graphics and points that are drawn of one state; a state may hold any number. */
const GRAPHICS_MAX = 500;
const POINTS_MAX = 5000;
const CIRCLE_CORNERS = 72;

/** Pixels of the image, from the corner of its first one, or shares of the picture that was displayed. */
type GraphicUnits = "image" | "display";

export interface Line {
  readonly kind: "line";
  readonly units: GraphicUnits;
  readonly points: readonly ImagePoint[];
  readonly filled: boolean;
}

/** A place, shown as a cross as large on the screen, however the image is zoomed. */
export interface Spot {
  readonly kind: "spot";
  readonly units: GraphicUnits;
  readonly at: ImagePoint;
}

export interface Words {
  readonly kind: "words";
  readonly units: GraphicUnits;
  readonly at: ImagePoint;
  readonly text: string;
}

interface Annotated {
  /** Undefined: every image of the state. */
  readonly images: ReadonlySet<string> | undefined;
  readonly graphics: readonly (Line | Words)[];
}

export interface PresentationState {
  readonly sopInstanceUid: string;
  readonly label: string;
  /** The images that it is for. */
  readonly images: ReadonlySet<string>;
  readonly annotations: readonly Annotated[];
  readonly areas: readonly DisplayedArea[];
  readonly window: VoiWindow | undefined;
  /** Clockwise, degrees. */
  readonly rotation: number;
  readonly flipped: boolean;
  readonly inverted: boolean;
}

function unitsOf(value: string | undefined): GraphicUnits {
  return value === "DISPLAY" ? "display" : "image";
}

/** PIXEL counts from the center of the first pixel as 1\1, so its corner is half a pixel before (C.10.5.1.2). */
function pointsOf(values: readonly number[], units: GraphicUnits): readonly ImagePoint[] {
  const shift = units === "image" ? 0.5 : 0;
  return Array.from({ length: Math.min(values.length >> 1, POINTS_MAX) }, (_, index) => ({
    column: (values[index * 2] ?? 0) - shift,
    row: (values[index * 2 + 1] ?? 0) - shift,
  }));
}

/** The closed outline of an ellipse by the middle and two half axes. */
function around(middle: ImagePoint, a: ImagePoint, b: ImagePoint): readonly ImagePoint[] {
  return Array.from({ length: CIRCLE_CORNERS + 1 }, (_, index) => {
    const angle = (index * 2 * Math.PI) / CIRCLE_CORNERS;
    return {
      column: middle.column + a.column * Math.cos(angle) + b.column * Math.sin(angle),
      row: middle.row + a.row * Math.cos(angle) + b.row * Math.sin(angle),
    };
  });
}

export function outline(kind: string, points: readonly ImagePoint[]): readonly ImagePoint[] {
  const [a, b, c, d] = points;
  const minus = (one: ImagePoint, other: ImagePoint) => ({
    column: one.column - other.column,
    row: one.row - other.row,
  });
  if (kind === "CIRCLE" && a && b) {
    const radius = Math.hypot(b.column - a.column, b.row - a.row);
    return around(a, { column: radius, row: 0 }, { column: 0, row: radius });
  }
  if (kind === "ELLIPSE" && a && b && c && d) {
    const middle = { column: (a.column + b.column) / 2, row: (a.row + b.row) / 2 };
    return around(middle, minus(b, middle), minus(d, { column: (c.column + d.column) / 2, row: (c.row + d.row) / 2 }));
  }
  if (kind === "POINT" && a) return around(a, { column: 0.5, row: 0 }, { column: 0, row: 0.5 });
  return points;
}

function lineOf(graphic: JsonDataSet): Line {
  const units = unitsOf(text(graphic, "00700005"));
  const points = outline(text(graphic, "00700023") ?? "", pointsOf(numbers(graphic, "00700022"), units));
  return { kind: "line", units, points, filled: text(graphic, "00700024") === "Y" };
}

function wordsOf(written: JsonDataSet): Words | undefined {
  const box = numbers(written, "00700010");
  const [values, unit] = box.length === 2 ? [box, "00700003"] : [numbers(written, "00700014"), "00700004"];
  const units = unitsOf(text(written, unit));
  const [at] = pointsOf(values, units);
  const said = text(written, "00700006");
  return at && said ? { kind: "words", units, at, text: said } : undefined;
}

function annotatedOf(annotation: JsonDataSet): Annotated {
  const images = imagesIn(annotation);
  const lines = items(annotation, "00700009").map(lineOf);
  const words = items(annotation, "00700008").flatMap((written) => wordsOf(written) ?? []);
  return { images: images.size > 0 ? images : undefined, graphics: [...lines, ...words].slice(0, GRAPHICS_MAX) };
}

function windowOf(instance: JsonDataSet): VoiWindow | undefined {
  const [voi] = items(instance, "00283110");
  const [center, width] = voi ? [number(voi, "00281050"), number(voi, "00281051")] : [];
  if (!voi || center === undefined || width === undefined) return undefined;
  return windowOfFunction(center, width, text(voi, "00281056"));
}

/** Undefined for what is no grayscale presentation state. */
export function presentationStateOf(instance: JsonDataSet): PresentationState | undefined {
  if (text(instance, "00080016") !== PRESENTATION_STORAGE) return undefined;
  return {
    sopInstanceUid: text(instance, "00080018") ?? "",
    label: text(instance, "00700081") ?? text(instance, "00700080") ?? "",
    images: new Set(items(instance, "00081115").flatMap((series) => [...imagesIn(series)])),
    annotations: items(instance, "00700001").map(annotatedOf),
    areas: displayedAreasOf(instance),
    window: windowOf(instance),
    rotation: number(instance, "00700042") ?? 0,
    flipped: text(instance, "00700041") === "Y",
    inverted: text(instance, "20500020") === "INVERSE",
  };
}

/** What a state has drawn and written on an image. */
export function graphicsOn(state: PresentationState, image: Frame): readonly (Line | Words)[] {
  if (!state.images.has(image.sopInstanceUid)) return [];
  return state.annotations
    .filter(({ images }) => !images || images.has(image.sopInstanceUid))
    .flatMap(({ graphics }) => graphics);
}
