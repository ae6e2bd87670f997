// The masks that a person draws: boxes in pixels of every frame, counted from zero. Pure.

import type { Box } from "../api/types";

/** The node takes no more on one instance. */
export const BOXES_MAX = 200;

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** A part of it over its whole width, as one page of several. */
export interface Part extends Size {
  readonly top: number;
}

/** A place on the frame, in pixels, not whole. */
export interface Place {
  readonly row: number;
  readonly column: number;
}

export interface Mask {
  readonly id: number;
  readonly box: Box;
}

export interface Masks {
  readonly list: readonly Mask[];
  readonly chosen: number | undefined;
  readonly nextId: number;
}

export type Change =
  | { readonly kind: "add"; readonly box: Box }
  | { readonly kind: "put"; readonly id: number; readonly box: Box }
  | { readonly kind: "remove"; readonly id: number }
  | { readonly kind: "choose"; readonly id: number | undefined }
  | { readonly kind: "restart"; readonly boxes: readonly Box[] };

export function masksOf(boxes: readonly Box[]): Masks {
  return { list: boxes.map((box, id) => ({ id, box })), chosen: undefined, nextId: boxes.length };
}

/** Whether the masks are these boxes and no others. */
export function areAs({ list }: Masks, boxes: readonly Box[]): boolean {
  return (
    list.length === boxes.length && list.every(({ box }, at) => box.every((edge, side) => edge === boxes[at]?.[side]))
  );
}

export function changed(masks: Masks, change: Change): Masks {
  const { list, nextId } = masks;
  switch (change.kind) {
    case "add":
      if (list.length >= BOXES_MAX) return masks;
      return { list: [...list, { id: nextId, box: change.box }], chosen: nextId, nextId: nextId + 1 };
    case "put":
      return { ...masks, list: list.map((mask) => (mask.id === change.id ? { ...mask, box: change.box } : mask)) };
    case "remove":
      return { ...masks, list: list.filter((mask) => mask.id !== change.id), chosen: undefined };
    case "choose":
      return { ...masks, chosen: change.id };
    case "restart":
      return masksOf(change.boxes);
  }
}

function clamped(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

/** The smallest box of whole pixels that holds both places, or undefined when it is too small to be meant. */
export function boxBetween(from: Place, to: Place, size: Size): Box | undefined {
  const top = clamped(Math.floor(Math.min(from.row, to.row)), 0, size.rows);
  const left = clamped(Math.floor(Math.min(from.column, to.column)), 0, size.columns);
  const bottom = clamped(Math.ceil(Math.max(from.row, to.row)), 0, size.rows);
  const right = clamped(Math.ceil(Math.max(from.column, to.column)), 0, size.columns);
  return bottom - top < 2 || right - left < 2 ? undefined : [top, left, bottom, right];
}

/** The same box elsewhere, as far as the frame goes. */
export function moved([top, left, bottom, right]: Box, rows: number, columns: number, size: Size): Box {
  const down = clamped(rows, -top, size.rows - bottom);
  const across = clamped(columns, -left, size.columns - right);
  return [top + down, left + across, bottom + down, right + across];
}

/** Corners of a box as it is drawn: 0 upper left, 1 upper right, 2 lower left, 3 lower right. */
export const CORNERS = [0, 1, 2, 3] as const;
export type Corner = (typeof CORNERS)[number];

/** Where a corner is. */
export function placeOfCorner([top, left, bottom, right]: Box, corner: Corner): Place {
  return { row: corner < 2 ? top : bottom, column: corner % 2 === 0 ? left : right };
}

/** The box with one corner moved so far; the opposite one stays, a pixel away at least. */
export function withCorner(box: Box, corner: Corner, rows: number, columns: number, size: Size): Box {
  const down = corner < 2 ? 0 : 2;
  const across = corner % 2 === 0 ? 1 : 3;
  return withEdge(withEdge(box, down, box[down] + rows, size), across, box[across] + columns, size);
}

/** The box with one edge (an index into it) at a pixel that somebody typed; the opposite edge stays. */
export function withEdge(box: Box, edge: number, value: number, size: Size): Box {
  const [top, left, bottom, right] = box;
  const whole = Number.isFinite(value) ? Math.round(value) : 0;
  switch (edge) {
    case 0:
      return [clamped(whole, 0, bottom - 1), left, bottom, right];
    case 1:
      return [top, clamped(whole, 0, right - 1), bottom, right];
    case 2:
      return [top, left, clamped(whole, top + 1, size.rows), right];
    default:
      return [top, left, bottom, clamped(whole, left + 1, size.columns)];
  }
}

/** Where a box begins that is made without a mouse: in the middle, a fifth of the frame wide. */
export function middleBox({ top = 0, rows, columns }: Size & Partial<Part>): Box {
  const [half, quarter] = [Math.max(1, Math.round(columns / 10)), Math.max(1, Math.round(rows / 20))];
  const [row, column] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  return [
    top + clamped(row - quarter, 0, rows),
    clamped(column - half, 0, columns),
    top + clamped(row + quarter, 1, rows),
    clamped(column + half, 1, columns),
  ];
}
