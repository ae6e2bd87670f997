// Patient axes, distances and orientation (PS3.3 C.7.6.2, C.10.7): vectors in millimetres in the patient's coordinate system.

export type Vector = readonly [number, number, number];

/** Direction cosines of the rows and of the columns: along a row (to the right), along a column (downwards). */
export interface Orientation {
  readonly row: Vector;
  readonly column: Vector;
}

/** A place in the image: columns to the right and rows downwards from the center of the first pixel. */
export interface ImagePoint {
  readonly column: number;
  readonly row: number;
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function minus(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

export function plus(a: Vector, b: Vector): Vector {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function times(a: Vector, by: number): Vector {
  return [a[0] * by, a[1] * by, a[2] * by];
}

export function norm(a: Vector): number {
  return Math.sqrt(dot(a, a));
}

/** A vector of length one; nought stays nought. */
export function unit(a: Vector): Vector {
  const length = norm(a) || 1;
  return [a[0] / length, a[1] / length, a[2] / length];
}

/** The direction in which slices are stacked: the row cosines cross the column cosines. */
export function normalOf(orientation: Orientation): Vector {
  return cross(orientation.row, orientation.column);
}

/** Whether the cosines are two unit vectors at right angles, within what scanners round to. */
export function isOrthonormal(orientation: Orientation): boolean {
  const isUnit = (vector: Vector) => Math.abs(norm(vector) - 1) < 0.01;
  return (
    isUnit(orientation.row) && isUnit(orientation.column) && Math.abs(dot(orientation.row, orientation.column)) < 0.01
  );
}

/** The letters for a direction (PS3.3 C.7.6.1.1.1): the strongest axis first, at most two, e.g. "L" or "AL". */
function directionLetters(direction: Vector): string {
  const axes = [
    { size: direction[0], letter: direction[0] < 0 ? "R" : "L" },
    { size: direction[1], letter: direction[1] < 0 ? "A" : "P" },
    { size: direction[2], letter: direction[2] < 0 ? "F" : "H" },
  ];
  return axes
    .filter((axis) => Math.abs(axis.size) > 0.3)
    .sort((a, b) => Math.abs(b.size) - Math.abs(a.size))
    .slice(0, 2)
    .map((axis) => axis.letter)
    .join("");
}

export interface EdgeLetters {
  readonly top: string;
  readonly right: string;
  readonly bottom: string;
  readonly left: string;
}

/** Which side of the patient is at each edge of an image shown as stored. */
export function edgeLetters(orientation: Orientation): EdgeLetters {
  const flipped = (direction: Vector): Vector => [-direction[0], -direction[1], -direction[2]];
  return {
    top: directionLetters(flipped(orientation.column)),
    right: directionLetters(orientation.row),
    bottom: directionLetters(orientation.column),
    left: directionLetters(flipped(orientation.row)),
  };
}
