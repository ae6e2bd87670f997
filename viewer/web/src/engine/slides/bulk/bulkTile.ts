// A tile of bulk annotations as the node sends it (wsi/bulk_tiles.py): outlines and dots in pixels of the tile. Pure.

const HEAD_BYTES = 20;
const MAGIC = 0x31424156; // "VAB1"

export interface BulkTile {
  /** Right, down; right, down ... */
  readonly dots: Uint16Array;
  /** Number of each shape's annotation in its group, from 1. */
  readonly numbers: Uint32Array;
  /** The point after the last of each shape. */
  readonly ends: Uint32Array;
  /** Right, down; right, down ... */
  readonly points: Float32Array;
  readonly closed: boolean;
}

/** Read a tile; undefined when it is none. */
export function readBulkTile(data: ArrayBuffer): BulkTile | undefined {
  if (data.byteLength < HEAD_BYTES) return undefined;
  const head = new DataView(data);
  const at = (index: number) => head.getUint32(4 * index, true);
  const [dots, shapes, points] = [at(1), at(2), at(3)];
  if (at(0) !== MAGIC || HEAD_BYTES + 4 * dots + 8 * shapes + 8 * points !== data.byteLength) return undefined;
  const numbersAt = HEAD_BYTES + 4 * dots;
  const tile = {
    dots: new Uint16Array(data, HEAD_BYTES, 2 * dots),
    numbers: new Uint32Array(data, numbersAt, shapes),
    ends: new Uint32Array(data, numbersAt + 4 * shapes, shapes),
    points: new Float32Array(data, numbersAt + 8 * shapes, 2 * points),
    closed: at(4) === 1,
  };
  return isInOrder(tile.ends, points) ? tile : undefined;
}

function isInOrder(ends: Uint32Array, points: number): boolean {
  let before = 0;
  for (const end of ends) {
    if (end <= before) return false;
    before = end;
  }
  return before === points;
}

/** What lies at a place of a tile. */
export interface Found {
  /** Of the annotation in its group; undefined for a dot, which may stand for many. */
  readonly number: number | undefined;
  /** Its outline, or the dot: right, down; right, down ... */
  readonly points: Float32Array;
}

/** The smallest outline around a place, else an outline or a dot within reach; in pixels of the tile. */
export function foundAt(tile: BulkTile, right: number, down: number, reach: number): Found | undefined {
  let found: Found | undefined;
  let least = Number.POSITIVE_INFINITY;
  let start = 0;
  for (const [index, end] of tile.ends.entries()) {
    const outline = tile.points.subarray(2 * start, 2 * end);
    start = end;
    const size = sizeIfNear(outline, right, down, reach);
    if (size === undefined || size >= least) continue;
    if (
      tile.closed
        ? !isInside(outline, right, down) && !isNear(outline, right, down, reach)
        : !isNear(outline, right, down, reach)
    )
      continue;
    least = size;
    found = { number: tile.numbers[index], points: outline };
  }
  return found ?? dotAt(tile.dots, right, down, reach);
}

/** The area of an outline's box, when the place is in it or within reach. */
function sizeIfNear(outline: Float32Array, right: number, down: number, reach: number): number | undefined {
  let [left, top, far, low] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < outline.length; at += 2) {
    const [x, y] = [outline[at] ?? 0, outline[at + 1] ?? 0];
    left = Math.min(left, x);
    far = Math.max(far, x);
    top = Math.min(top, y);
    low = Math.max(low, y);
  }
  const isOut = right < left - reach || right > far + reach || down < top - reach || down > low + reach;
  return isOut ? undefined : (far - left) * (low - top);
}

function isInside(outline: Float32Array, right: number, down: number): boolean {
  let inside = false;
  for (let at = 0, before = outline.length - 2; at < outline.length; before = at, at += 2) {
    const [x, y] = [outline[at] ?? 0, outline[at + 1] ?? 0];
    const [fromX, fromY] = [outline[before] ?? 0, outline[before + 1] ?? 0];
    if (y > down !== fromY > down && right < ((fromX - x) * (down - y)) / (fromY - y) + x) inside = !inside;
  }
  return inside;
}

function isNear(outline: Float32Array, right: number, down: number, reach: number): boolean {
  for (let at = 2; at < outline.length; at += 2) {
    const [fromX, fromY] = [outline[at - 2] ?? 0, outline[at - 1] ?? 0];
    const [across, along] = [(outline[at] ?? 0) - fromX, (outline[at + 1] ?? 0) - fromY];
    const square = across * across + along * along || 1;
    const part = Math.min(Math.max(((right - fromX) * across + (down - fromY) * along) / square, 0), 1);
    if (Math.hypot(right - fromX - part * across, down - fromY - part * along) <= reach) return true;
  }
  return false;
}

function dotAt(dots: Uint16Array, right: number, down: number, reach: number): Found | undefined {
  let least = reach;
  let found: Found | undefined;
  for (let at = 0; at < dots.length; at += 2) {
    const far = Math.hypot((dots[at] ?? 0) - right, (dots[at + 1] ?? 0) - down);
    if (far > least) continue;
    least = far;
    found = { number: undefined, points: Float32Array.of(dots[at] ?? 0, dots[at + 1] ?? 0) };
  }
  return found;
}
