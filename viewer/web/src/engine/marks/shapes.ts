// Closed shapes on an image: their area, and what the samples inside are like. Pixels; no DOM.

import type { ImagePoint } from "../frames/geometry";

/** Samples of one image, row after row, as modality values. */
export interface Samples {
  readonly values: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
}

export interface Shape {
  /** In pixels. */
  readonly area: number;
  readonly outline: readonly ImagePoint[];
  readonly contains: (place: ImagePoint) => boolean;
}

export interface Spread {
  readonly mean: number;
  /** Standard deviation of the samples themselves, not an estimate of others. */
  readonly deviation: number;
  readonly lowest: number;
  readonly highest: number;
  readonly count: number;
}

/** A polygon by its corners in order; the area is the shoelace's. */
export function polygon(outline: readonly ImagePoint[]): Shape {
  let twice = 0;
  for (const [index, from] of outline.entries()) {
    const to = outline[(index + 1) % outline.length] ?? from;
    twice += from.column * to.row - to.column * from.row;
  }
  return { area: Math.abs(twice) / 2, outline, contains: (place) => isInside(outline, place) };
}

/** By counting the edges that a ray to the right crosses. */
function isInside(outline: readonly ImagePoint[], { column, row }: ImagePoint): boolean {
  let inside = false;
  for (const [index, from] of outline.entries()) {
    const to = outline[(index + 1) % outline.length] ?? from;
    if (from.row > row === to.row > row) continue;
    const crossing = from.column + ((row - from.row) / (to.row - from.row)) * (to.column - from.column);
    if (column < crossing) inside = !inside;
  }
  return inside;
}

/** An ellipse by the ends of its two axes, which are at right angles. */
export function ellipse(one: readonly [ImagePoint, ImagePoint], other: readonly [ImagePoint, ImagePoint]): Shape {
  const center = { column: (one[0].column + one[1].column) / 2, row: (one[0].row + one[1].row) / 2 };
  const half = ([from, to]: readonly [ImagePoint, ImagePoint]) => ({
    column: (to.column - from.column) / 2,
    row: (to.row - from.row) / 2,
  });
  const [a, b] = [half(one), half(other)];
  const determinant = a.column * b.row - a.row * b.column;
  const outline = [
    { column: center.column + a.column + b.column, row: center.row + a.row + b.row },
    { column: center.column + a.column - b.column, row: center.row + a.row - b.row },
    { column: center.column - a.column - b.column, row: center.row - a.row - b.row },
    { column: center.column - a.column + b.column, row: center.row - a.row + b.row },
  ];
  const contains = (place: ImagePoint) => {
    const [x, y] = [place.column - center.column, place.row - center.row];
    const [u, v] = [(x * b.row - y * b.column) / determinant, (a.column * y - a.row * x) / determinant];
    return u * u + v * v <= 1;
  };
  return { area: Math.PI * Math.abs(determinant), outline, contains: determinant === 0 ? () => false : contains };
}

/** The samples whose centers are inside a shape; undefined when there are none. */
export function spreadOf(shape: Shape, samples: Samples): Spread | undefined {
  const columns = shape.outline.map((corner) => corner.column);
  const rows = shape.outline.map((corner) => corner.row);
  const within = (value: number, end: number) => Math.min(Math.max(Math.floor(value), 0), end);
  const [left, right] = [
    within(Math.min(...columns), samples.columns),
    within(Math.max(...columns) + 1, samples.columns),
  ];
  const [top, bottom] = [within(Math.min(...rows), samples.rows), within(Math.max(...rows) + 1, samples.rows)];
  let [count, sum, squares, lowest, highest] = [0, 0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = top; row < bottom; row += 1) {
    for (let column = left; column < right; column += 1) {
      if (!shape.contains({ column: column + 0.5, row: row + 0.5 })) continue;
      const value = samples.values[row * samples.columns + column] ?? 0;
      count += 1;
      sum += value;
      squares += value * value;
      lowest = Math.min(lowest, value);
      highest = Math.max(highest, value);
    }
  }
  if (count === 0) return undefined;
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(squares / count - mean * mean, 0)), lowest, highest, count };
}

/** The sample at a place; undefined outside of the image. */
export function sampleAt({ column, row }: ImagePoint, samples: Samples): number | undefined {
  const [x, y] = [Math.floor(column), Math.floor(row)];
  if (x < 0 || y < 0 || x >= samples.columns || y >= samples.rows) return undefined;
  return samples.values[y * samples.columns + x];
}
