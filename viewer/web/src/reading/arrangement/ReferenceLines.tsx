// Where the planes of the other pictures cut through this one. Drawn without React: it moves with the wheel.

import { useEffect, useRef } from "react";
import type { Frame } from "../../engine/frames/frame";
import { crossing, type Plane } from "../../engine/stack/linked";
import type { StackView } from "../../engine/stack/stackView";
import styles from "./Panes.module.css";

const SVG = "http://www.w3.org/2000/svg";

function planeOf(frame: Frame): Plane {
  const { spacing, pixels, position, orientation, frameOfReferenceUid } = frame;
  const calibrated = spacing?.calibration === "patient" ? spacing : undefined;
  return {
    position: calibrated && position,
    orientation,
    frameOfReferenceUid,
    widthMm: pixels.columns * (calibrated?.columnMm ?? 1),
    heightMm: pixels.rows * (calibrated?.rowMm ?? 1),
  };
}

function draw(svg: SVGSVGElement, own: StackView, others: readonly StackView[]): void {
  const target = own.currentFrame();
  const lines = others.flatMap((other) => {
    const seen = other.currentFrame();
    const ends = seen && target && crossing(planeOf(seen), planeOf(target));
    if (!ends) return [];
    const [from, to] = [own.placeOf(ends[0]), own.placeOf(ends[1])];
    if (!(from && to)) return [];
    const [[x1, y1], [x2, y2]] = [from, to];
    const line = document.createElementNS(SVG, "line");
    for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) line.setAttribute(name, String(value));
    return [line];
  });
  svg.replaceChildren(...lines);
}

export interface ReferenceLinesProps {
  readonly views: readonly (StackView | undefined)[];
  /** Which of the views this is drawn over. */
  readonly index: number;
}

export function ReferenceLines({ views, index }: ReferenceLinesProps) {
  const ref = useRef<SVGSVGElement>(null);
  useEffect(() => {
    const own = views[index];
    const svg = ref.current;
    const others = views.flatMap((view, place) => (view && place !== index ? [view] : []));
    if (!(own && svg) || others.length === 0) return undefined;
    const redraw = () => draw(svg, own, others);
    redraw();
    const stops = [own, ...others].map((view) => view.stack.subscribe(redraw));
    stops.push(own.look.presentation.subscribe(redraw));
    return () => {
      for (const stop of stops) stop();
      svg.replaceChildren();
    };
  }, [views, index]);
  return <svg ref={ref} className={styles["lines"]} aria-hidden="true" />;
}
