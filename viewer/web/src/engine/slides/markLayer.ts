// Marks drawn over a slide: outlines move with the slide as one matrix, points and texts keep their size.

import { matrixOf, toScreen } from "./camera";
import { anchorOf, type Mark, type MarkKind, type Marks } from "./marks";
import type { MarkTool } from "./markTool";
import type { SlidePoint } from "./slide";
import type { SlideView } from "./slideView";

const SVG = "http://www.w3.org/2000/svg";
const POINT_PX = 6;
const TEXT_ASIDE_PX = 9;

/** What is written beside a mark, given its place among the marks of its kind, from one. */
export type Describe = (mark: Mark, ordinal: number) => string;

interface Fixed {
  readonly element: SVGGElement;
  readonly at: SlidePoint;
}

export class MarkLayer {
  private readonly view: SlideView;
  private readonly marks: Marks;
  private readonly tool: MarkTool;
  private readonly describe: Describe;
  private readonly root = svg("svg", { class: "va-marks", "aria-hidden": "true" });
  private readonly outlines = svg("g", {});
  private readonly sketch = svg("g", {});
  private readonly labels = svg("g", {});
  private readonly offs: readonly (() => void)[];
  private fixed: readonly Fixed[] = [];

  constructor(view: SlideView, marks: Marks, tool: MarkTool, describe: Describe) {
    this.view = view;
    this.marks = marks;
    this.tool = tool;
    this.describe = describe;
    this.root.append(this.outlines, this.sketch, this.labels);
    view.element.append(this.root);
    const redraw = () => this.redraw();
    const resketch = () => this.resketch();
    this.offs = [
      marks.list.subscribe(redraw),
      marks.selected.subscribe(redraw),
      tool.draft.subscribe(resketch),
      tool.hover.subscribe(resketch),
      view.camera.subscribe(() => this.move()),
    ];
    this.redraw();
    this.resketch();
  }

  destroy(): void {
    for (const off of this.offs) off();
    this.root.remove();
  }

  private redraw(): void {
    const ordinals = new Map<MarkKind, number>();
    const selected = this.marks.selected.get();
    const fixed: Fixed[] = [];
    this.outlines.replaceChildren();
    this.labels.replaceChildren();
    for (const mark of this.marks.list.get()) {
      const ordinal = (ordinals.get(mark.kind) ?? 0) + 1;
      ordinals.set(mark.kind, ordinal);
      const state = mark.uid === selected ? { "data-selected": "true" } : {};
      this.outlines.append(...outlineOf(mark.kind, mark.points, state));
      fixed.push({ element: labelOf(mark, this.describe(mark, ordinal), state), at: anchorOf(mark) });
    }
    this.fixed = fixed;
    this.labels.append(...fixed.map(({ element }) => element));
    this.move();
  }

  private resketch(): void {
    const draft = this.tool.draft.get();
    const hover = this.tool.hover.get();
    this.sketch.replaceChildren();
    if (!draft) return;
    const points = hover ? [...draft.points, hover] : draft.points;
    this.sketch.append(...outlineOf("line", points, { "data-sketch": "true" }));
  }

  private move(): void {
    const camera = this.view.camera.get();
    const transform = `matrix(${matrixOf(camera).join(" ")})`;
    this.outlines.setAttribute("transform", transform);
    this.sketch.setAttribute("transform", transform);
    for (const { element, at } of this.fixed) {
      const { left, top } = toScreen(camera, at);
      element.setAttribute("transform", `translate(${left} ${top})`);
    }
  }
}

function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>>,
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** A light line under a dark one, so that it is seen on any stain. */
function outlineOf(
  kind: MarkKind,
  points: readonly SlidePoint[],
  state: Readonly<Record<string, string>>,
): readonly SVGElement[] {
  if (points.length < 2) return [];
  const path = points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join("");
  const d = kind === "polygon" || kind === "freehand" ? `${path}Z` : path;
  return [svg("path", { d, class: "va-mark-under" }), svg("path", { d, class: "va-mark-line", ...state })];
}

function labelOf(mark: Mark, text: string, state: Readonly<Record<string, string>>): SVGGElement {
  const group = svg("g", { class: "va-mark-label", ...state });
  const isPoint = mark.kind === "point" || mark.kind === "text";
  if (isPoint) group.append(svg("circle", { r: String(POINT_PX) }));
  const label = svg("text", { x: String(TEXT_ASIDE_PX), y: "-6" });
  label.textContent = text;
  group.append(label);
  return group;
}
