// The three planes of a reconstruction: where they are in the patient, and the rectangle of each that holds the volume. Pure.

import { cross, dot, minus, plus, times, type Vector } from "../frames/geometry";
import type { Cut } from "./cut";
import { type Grid, inPatient } from "./grid";

/** Names are keys of the language files (volumes:plane.*). */
export type PlaneName = "axial" | "coronal" | "sagittal";
export const PLANE_NAMES: readonly PlaneName[] = ["axial", "coronal", "sagittal"];

/** Unit vectors in the patient: where a picture's right and down are. */
export interface Axes {
  readonly right: Vector;
  readonly down: Vector;
}

export type Planes = Readonly<Record<PlaneName, Axes>>;

/** As radiologists look: from the feet, from the front, from the left side. */
export const UPRIGHT: Planes = {
  axial: { right: [1, 0, 0], down: [0, 1, 0] },
  coronal: { right: [1, 0, 0], down: [0, 0, -1] },
  sagittal: { right: [0, 1, 0], down: [0, 0, -1] },
};

export function throughOf({ right, down }: Axes): Vector {
  return cross(right, down);
}

/** A vector turned about a unit vector, degrees, right-handed. */
export function turned(vector: Vector, about: Vector, degrees: number): Vector {
  const angle = (degrees * Math.PI) / 180;
  const along = times(about, dot(about, vector) * (1 - Math.cos(angle)));
  return plus(plus(times(vector, Math.cos(angle)), times(cross(about, vector), Math.sin(angle))), along);
}

/** The planes with the other two turned about the line of sight of one, clockwise on its picture, degrees. */
export function withTurn(planes: Planes, seen: PlaneName, degrees: number): Planes {
  const about = throughOf(planes[seen]);
  const turn = ({ right, down }: Axes): Axes => ({
    right: turned(right, about, degrees),
    down: turned(down, about, degrees),
  });
  const others = PLANE_NAMES.filter((name) => name !== seen).map((name) => [name, turn(planes[name])] as const);
  return { ...planes, ...Object.fromEntries(others) };
}

/** No picture is larger, pixels a side; beyond that its pixels grow. */
const PIXELS_MAX = 1024;

/** The corners of what the samples cover, half a sample beyond the outermost centers. */
function cornersOf(grid: Grid): readonly Vector[] {
  const [columns, rows] = grid.size;
  const end = grid.places.at(-1) ?? 0;
  const ends = [
    [-0.5 * grid.columnMm, (columns - 0.5) * grid.columnMm],
    [-0.5 * grid.rowMm, (rows - 0.5) * grid.rowMm],
    [-0.5 * grid.usualMm, end + 0.5 * grid.usualMm],
  ] as const;
  return ends[0].flatMap((across) =>
    ends[1].flatMap((down) => ends[2].map((along) => plus(grid.origin, inPatient(grid, [across, down, along])))),
  );
}

function extent(corners: readonly Vector[], direction: Vector): { readonly from: number; readonly to: number } {
  const places = corners.map((corner) => dot(direction, corner));
  return { from: Math.min(...places), to: Math.max(...places) };
}

/** The picture of a plane through a point: it holds all of the volume, and its pixels are as small as the samples. */
export function cutThrough(grid: Grid, axes: Axes, point: Vector): Cut {
  const corners = cornersOf(grid);
  const { right, down } = axes;
  const through = throughOf(axes);
  const [across, along] = [extent(corners, right), extent(corners, down)];
  const longest = Math.max(across.to - across.from, along.to - along.from);
  const pixelMm = Math.max(Math.min(grid.columnMm, grid.rowMm), longest / PIXELS_MAX);
  const corner = plus(
    plus(times(right, across.from + pixelMm / 2), times(down, along.from + pixelMm / 2)),
    times(through, dot(through, point)),
  );
  const count = (mm: number) => Math.max(Math.round(mm / pixelMm), 1);
  const [width, height] = [count(across.to - across.from), count(along.to - along.from)];
  return { origin: corner, right, down, through, pixelMm, width, height };
}

/** The sample in the middle of a volume. */
export function middleOf(grid: Grid): Vector {
  const [columns, rows, slices] = grid.size;
  const along = grid.places[slices >> 1] ?? 0;
  return plus(grid.origin, inPatient(grid, [(columns >> 1) * grid.columnMm, (rows >> 1) * grid.rowMm, along]));
}

/** A point brought back into the box that holds the volume. */
export function heldWithin(grid: Grid, point: Vector): Vector {
  const corners = cornersOf(grid);
  const held = (axis: 0 | 1 | 2) => {
    const places = corners.map((corner) => corner[axis]);
    return Math.min(Math.max(point[axis], Math.min(...places)), Math.max(...places));
  };
  return [held(0), held(1), held(2)];
}

/** How far a step through a plane goes, millimetres: the distance of the samples in that direction. */
export function stepThrough(grid: Grid, axes: Axes): number {
  const through = throughOf(axes);
  const sizes = [
    { along: Math.abs(dot(through, grid.row)), mm: grid.columnMm },
    { along: Math.abs(dot(through, grid.column)), mm: grid.rowMm },
    { along: Math.abs(dot(through, grid.normal)), mm: grid.usualMm },
  ];
  return sizes.reduce((best, size) => (size.along > best.along ? size : best)).mm;
}

/** Columns and rows of a place on a cut's picture, from the corner of its first pixel. */
export function onCut(cut: Cut, place: Vector): { readonly column: number; readonly row: number } {
  const way = minus(place, cut.origin);
  return { column: dot(cut.right, way) / cut.pixelMm + 0.5, row: dot(cut.down, way) / cut.pixelMm + 0.5 };
}

/** The inverse of `onCut`. */
export function fromCut(cut: Cut, { column, row }: { readonly column: number; readonly row: number }): Vector {
  const across = times(cut.right, (column - 0.5) * cut.pixelMm);
  return plus(cut.origin, plus(across, times(cut.down, (row - 0.5) * cut.pixelMm)));
}
