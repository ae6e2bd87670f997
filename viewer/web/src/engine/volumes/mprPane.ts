// One picture of a reconstruction on a canvas, with the lines of the other two planes over it. No framework, no WebGL.

import { createStore, type Store } from "../emitter";
import { cross, dot, norm, type Vector } from "../frames/geometry";
import { onSized } from "../sized";
import { type Cut, cutInto, type Slab } from "./cut";
import type { Mpr } from "./mpr";
import { paint, type ShownBy } from "./paint";
import { type Axes, cutThrough, fromCut, onCut, PLANE_NAMES, type PlaneName, throughOf } from "./planes";

const SVG = "http://www.w3.org/2000/svg";
const ZOOM_MIN = 0.2;
const ZOOM_MAX = 20;
/** What stays free around the point, CSS pixels. */
const FREE = 14;
/** Where on a line its handle is, as a share of the shorter side. */
const HANDLE_SHARE = 0.36;
export const HANDLE_RADIUS = 7;

/** How the picture stands on the element. */
export interface Standing {
  /** Times the size that fits. */
  readonly zoom: number;
  /** Device pixels for a pixel of the picture. */
  readonly scale: number;
  /** Where the picture's middle is from the element's, CSS pixels. */
  readonly pan: readonly [number, number];
}

export interface Handle {
  readonly plane: PlaneName;
  readonly x: number;
  readonly y: number;
}

export class MprPane {
  readonly plane: PlaneName;
  readonly element: HTMLElement;
  readonly standing: Store<Standing> = createStore<Standing>({ zoom: 1, scale: 1, pan: [0, 0] });
  handles: readonly Handle[] = [];
  private readonly mpr: Mpr;
  private readonly canvas = document.createElement("canvas");
  private readonly lines = document.createElementNS(SVG, "svg");
  private readonly picture = document.createElement("canvas");
  private readonly undo: (() => void)[] = [];
  private cut: Cut | undefined;
  private values = new Float32Array();
  private pixels: ImageData | undefined;
  private drawn: { axes: Axes; depth: number; slab: Slab; filled: number } | undefined;
  private painted: (ShownBy & { inverted: boolean }) | undefined;
  private asked = 0;

  constructor(element: HTMLElement, mpr: Mpr, plane: PlaneName, isNaturallyInverted: boolean) {
    this.element = element;
    this.mpr = mpr;
    this.plane = plane;
    this.isNaturallyInverted = isNaturallyInverted;
    element.append(this.canvas, this.lines);
    this.undo.push(
      onSized(element, () => this.ask()),
      mpr.state.subscribe(() => this.ask()),
      mpr.filled.subscribe(() => this.ask()),
      this.standing.subscribe(() => this.ask()),
    );
    this.ask();
  }

  zoomBy(factor: number): void {
    const { zoom, ...rest } = this.standing.get();
    this.standing.set({ ...rest, zoom: Math.min(Math.max(zoom * factor, ZOOM_MIN), ZOOM_MAX) });
  }

  panBy(x: number, y: number): void {
    const { pan, ...rest } = this.standing.get();
    this.standing.set({ ...rest, pan: [pan[0] + x, pan[1] + y] });
  }

  fit(): void {
    this.standing.set({ ...this.standing.get(), zoom: 1, pan: [0, 0] });
  }

  /** The place in the patient under a place on the element, CSS pixels. */
  placeAt(x: number, y: number): Vector | undefined {
    const { cut } = this;
    if (!cut) return undefined;
    const [left, top, scale] = this.corner(cut);
    return fromCut(cut, { column: (x - left) / scale, row: (y - top) / scale });
  }

  /** Millimetres of a CSS pixel of the element; undefined before there is a picture. */
  pixelMm(): number | undefined {
    const { cut } = this;
    return cut && cut.pixelMm / this.corner(cut)[2];
  }

  destroy(): void {
    cancelAnimationFrame(this.asked);
    for (const undo of this.undo) undo();
    this.canvas.remove();
    this.lines.remove();
  }

  private readonly isNaturallyInverted: boolean;

  private ask(): void {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      this.draw();
    });
  }

  /** Where the picture's corner is on the element, and CSS pixels for one of its pixels. */
  private corner(cut: Cut): readonly [number, number, number] {
    const { clientWidth: width, clientHeight: height } = this.element;
    const { zoom, pan } = this.standing.get();
    const scale = Math.min(width / cut.width, height / cut.height) * zoom;
    return [width / 2 + pan[0] - (cut.width * scale) / 2, height / 2 + pan[1] - (cut.height * scale) / 2, scale];
  }

  private draw(): void {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (width === 0 || height === 0) return;
    const cut = this.resample();
    this.repaint(cut);
    const ratio = window.devicePixelRatio;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== wide) this.canvas.width = wide;
    if (this.canvas.height !== high) this.canvas.height = high;
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const [left, top, scale] = this.corner(cut);
    context.fillStyle = "#000000";
    context.fillRect(0, 0, wide, high);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.picture, left * ratio, top * ratio, cut.width * scale * ratio, cut.height * scale * ratio);
    this.drawLines(cut, width, height);
    const standing = this.standing.get();
    if (standing.scale !== scale * ratio) this.standing.set({ ...standing, scale: scale * ratio });
  }

  /** Cut anew when the plane, the slab or the samples changed. */
  private resample(): Cut {
    const { point, planes, slab } = this.mpr.state.get();
    const axes = planes[this.plane];
    const wanted = { axes, depth: dot(throughOf(axes), point), slab, filled: this.mpr.filled.get() };
    const { cut, drawn } = this;
    const same = drawn?.axes === axes && drawn.depth === wanted.depth && drawn.slab === slab;
    if (cut && same && drawn.filled === wanted.filled) return cut;
    const next = cutThrough(this.mpr.volume.grid, axes, point);
    if (this.values.length !== next.width * next.height) this.values = new Float32Array(next.width * next.height);
    cutInto(this.values, this.mpr.volume, next, slab);
    this.cut = next;
    this.drawn = wanted;
    this.painted = undefined;
    return next;
  }

  private repaint(cut: Cut): void {
    const { window, lookup, inverted } = this.mpr.state.get();
    const { painted } = this;
    if (painted?.window === window && painted.lookup === lookup && painted.inverted === inverted) return;
    if (this.pixels?.width !== cut.width || this.pixels.height !== cut.height) {
      this.pixels = new ImageData(cut.width, cut.height);
      this.picture.width = cut.width;
      this.picture.height = cut.height;
    }
    const greys = new Uint32Array(this.pixels.data.buffer);
    paint(greys, this.values, { window, lookup }, inverted !== this.isNaturallyInverted);
    this.picture.getContext("2d")?.putImageData(this.pixels, 0, 0);
    this.painted = { window, lookup, inverted };
  }

  /** The other planes' lines through the point, with a handle on each to turn them by. */
  private drawLines(cut: Cut, width: number, height: number): void {
    const { point, planes } = this.mpr.state.get();
    const [left, top, scale] = this.corner(cut);
    const { column, row } = onCut(cut, point);
    const [x, y] = [left + column * scale, top + row * scale];
    const far = width + height;
    const handles: Handle[] = [];
    const drawn = PLANE_NAMES.filter((name) => name !== this.plane).flatMap((name) => {
      const direction = cross(throughOf(cut), throughOf(planes[name]));
      if (norm(direction) < 0.001) return [];
      const [across, down] = [dot(cut.right, direction), dot(cut.down, direction)];
      const length = Math.hypot(across, down);
      const [dx, dy] = [across / length, down / length];
      const at = Math.min(width, height) * HANDLE_SHARE;
      const ends = [-1, 1].map((side) => ({ plane: name, x: x + dx * at * side, y: y + dy * at * side }));
      handles.push(...ends);
      const halves = [-1, 1].map((side) =>
        element("line", {
          "data-plane": name,
          x1: x + dx * FREE * side,
          y1: y + dy * FREE * side,
          x2: x + dx * far * side,
          y2: y + dy * far * side,
        }),
      );
      const circles = ends.map((end) =>
        element("circle", { "data-plane": name, cx: end.x, cy: end.y, r: HANDLE_RADIUS }),
      );
      return [...halves, ...circles];
    });
    this.handles = handles;
    this.lines.replaceChildren(...drawn);
  }
}

function element(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
