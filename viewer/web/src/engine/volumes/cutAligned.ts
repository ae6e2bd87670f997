// A cut along the volume's own axes: layers reduced on the stored grid, then brought to the picture's pixels.

import { norm, type Vector } from "../frames/geometry";
import type { GridCut, Slab } from "./cut";
import { between, type Grid } from "./grid";
import type { Volume } from "./volume";

export type Axis = 0 | 1 | 2;
/** A direction that leaves its axis by less is along it: a tenth of a millimetre in a meter. */
const STRAY = 1e-4;
/** Samples of an averaging slab for each layer, so that layers count as far as the slab reaches into them. */
const SHARES = 4;

/** The axis that a direction follows; undefined when it follows none. */
export function alignedAxis(direction: Vector): Axis | undefined {
  const length = norm(direction);
  const axes: readonly Axis[] = [0, 1, 2];
  return axes.find((axis) => axes.every((other) => other === axis || Math.abs(direction[other]) < length * STRAY));
}

/** For each of some places along an axis: the layer below, or -1 outside, and the share of the one above. */
interface Places {
  readonly lower: Int32Array;
  readonly share: Float32Array;
}

function layerAt(grid: Grid, axis: Axis, mm: number): { readonly slice: number; readonly share: number } | undefined {
  if (axis === 2) return between(grid, mm);
  const place = mm / (axis === 0 ? grid.columnMm : grid.rowMm);
  const last = grid.size[axis] - 1;
  if (!(place >= -0.5 && place <= last + 0.5)) return undefined;
  const inside = Math.min(Math.max(place, 0), last);
  return { slice: Math.floor(inside), share: inside - Math.floor(inside) };
}

function placesAlong(grid: Grid, axis: Axis, start: number, step: number, count: number): Places {
  const lower = new Int32Array(count).fill(-1);
  const share = new Float32Array(count);
  for (let index = 0; index < count; index += 1) {
    const found = layerAt(grid, axis, start + step * index);
    if (!found) continue;
    lower[index] = found.slice;
    share[index] = found.share;
  }
  return { lower, share };
}

/**
 * Which layers a slab has, and the weight of each in an average; weights add up to one.
 *
 * A slab leaves out slices that are not here; a plane that needs one has no layers.
 */
function layersOf({ grid, filled }: Volume, axis: Axis, mm: number, slab: Slab): ReadonlyMap<number, number> {
  const weights = new Map<number, number>();
  const add = (layer: number, weight: number) => {
    if (weight > 0) weights.set(layer, (weights.get(layer) ?? 0) + weight);
  };
  const layerMm = [grid.columnMm, grid.rowMm, grid.usualMm][axis] ?? 1;
  const count = Math.max(Math.round((slab.thicknessMm / layerMm) * SHARES), 1);
  for (let sample = 0; sample < count; sample += 1) {
    const found = layerAt(grid, axis, mm + ((sample + 0.5) / count - 0.5) * slab.thicknessMm);
    if (!found) continue;
    const thin = count === 1;
    add(found.slice + (thin || found.share <= 0.5 ? 0 : 1), thin ? 1 - found.share : 1);
    if (thin) add(found.slice + 1, found.share);
  }
  const here = [...weights].filter(([layer]) => axis !== 2 || filled[layer]);
  if (count === 1 && here.length < weights.size) return new Map();
  const sum = here.reduce((total, [, weight]) => total + weight, 0);
  return new Map(here.map(([layer, weight]) => [layer, weight / sum]));
}

/** The slab's layers made one, on the stored grid: `wide` samples of axis `across` in each line, lines of axis `down`. */
function reduced(volume: Volume, axes: readonly [Axis, Axis, Axis], layers: ReadonlyMap<number, number>, slab: Slab) {
  const [columns, rows] = volume.grid.size;
  const strides = [1, columns, columns * rows];
  const [acrossStride = 0, downStride = 0, throughStride = 0] = axes.map((axis) => strides[axis] ?? 0);
  const [wide, high] = [volume.grid.size[axes[0]], volume.grid.size[axes[1]]];
  const offsets = Int32Array.from(layers.keys(), (layer) => layer * throughStride);
  const weights = Float32Array.from(layers.values());
  const into = new Float32Array(wide * high);
  const { values } = volume;
  const mode = slab.thicknessMm > 0 ? slab.mode : "average";
  const depth = offsets.length;
  for (let line = 0, at = 0; line < high; line += 1) {
    for (let place = 0, from = line * downStride; place < wide; place += 1, at += 1, from += acrossStride) {
      if (mode === "average") {
        let sum = 0;
        for (let layer = 0; layer < depth; layer += 1) {
          sum += (values[from + (offsets[layer] ?? 0)] ?? 0) * (weights[layer] ?? 0);
        }
        into[at] = sum;
      } else if (mode === "highest") {
        let most = Number.NEGATIVE_INFINITY;
        for (let layer = 0; layer < depth; layer += 1) {
          const value = values[from + (offsets[layer] ?? 0)] ?? 0;
          if (value > most) most = value;
        }
        into[at] = most === Number.NEGATIVE_INFINITY ? Number.NaN : most;
      } else {
        let least = Number.POSITIVE_INFINITY;
        for (let layer = 0; layer < depth; layer += 1) {
          const value = values[from + (offsets[layer] ?? 0)] ?? 0;
          if (value < least) least = value;
        }
        into[at] = least === Number.POSITIVE_INFINITY ? Number.NaN : least;
      }
    }
  }
  return into;
}

/** Take away what a slab across the slices has of those that are not here. */
function blank(stored: Float32Array, { grid, filled }: Volume, [across, down]: readonly [Axis, Axis, Axis]): void {
  const wide = grid.size[across];
  for (const [slice, isHere] of filled.entries()) {
    if (isHere) continue;
    if (down === 2) stored.fill(Number.NaN, slice * wide, (slice + 1) * wide);
    else if (across === 2) for (let at = slice; at < stored.length; at += wide) stored[at] = Number.NaN;
  }
}

/** `axes` are those that the cut's right, down and through follow, all different. */
export function cutAligned(
  out: Float32Array,
  volume: Volume,
  cut: GridCut,
  slab: Slab,
  axes: readonly [Axis, Axis, Axis],
): void {
  const { grid } = volume;
  const [across, down, through] = axes;
  const layers = layersOf(volume, through, cut.origin[through], slab);
  out.fill(Number.NaN);
  if (layers.size === 0) return;
  const stored = reduced(volume, axes, layers, slab);
  blank(stored, volume, axes);
  const wide = grid.size[across];
  const columns = placesAlong(grid, across, cut.origin[across], cut.right[across], cut.width);
  const rows = placesAlong(grid, down, cut.origin[down], cut.down[down], cut.height);
  const line = new Float32Array(wide);
  for (let row = 0; row < cut.height; row += 1) {
    const from = (rows.lower[row] ?? -1) * wide;
    if (from < 0) continue;
    const share = rows.share[row] ?? 0;
    for (let place = 0; place < wide; place += 1) {
      const near = stored[from + place] ?? 0;
      line[place] = share === 0 ? near : near + ((stored[from + wide + place] ?? 0) - near) * share;
    }
    for (let column = 0, at = row * cut.width; column < cut.width; column += 1, at += 1) {
      const lower = columns.lower[column] ?? -1;
      if (lower < 0) continue;
      const near = line[lower] ?? 0;
      const part = columns.share[column] ?? 0;
      out[at] = part === 0 ? near : near + ((line[lower + 1] ?? 0) - near) * part;
    }
  }
}
