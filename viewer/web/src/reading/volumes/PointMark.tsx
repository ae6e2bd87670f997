// Where the 3D cursor's point is on one picture. Drawn without React: it moves with the wheel.

import { useEffect, useRef } from "react";
import type { Store } from "../../engine/emitter";
import { inOneSpace, placeInImage } from "../../engine/stack/pointing";
import type { StackView } from "../../engine/stack/stackView";
import styles from "./PointMark.module.css";
import type { SpacePoint } from "./useSpaceCursor";

/** A point further off than half of a slice without a thickness, mm. */
const THICKNESS_MM = 1;
/** Lengths of a cross's arms and of the gap around the point, CSS pixels. */
const ARM = 12;
const FREE = 4;

/** Where the point is on the element; undefined when it is on another slice, or in another space. */
function placeOn(view: StackView, point: SpacePoint): readonly [number, number] | undefined {
  const frame = view.currentFrame();
  if (!(frame && inOneSpace(point.frame, frame))) return undefined;
  const frames = view.allFrames();
  const at = view.stack.get().wanted;
  const neighbour = frames[at + 1] ?? frames[at - 1];
  const apart = neighbour?.position && placeInImage(frame, neighbour.position)?.offMm;
  const offMm = placeInImage(frame, point.place)?.offMm ?? Number.POSITIVE_INFINITY;
  const thick = Math.max(apart ?? 0, frame.sliceThicknessMm ?? THICKNESS_MM);
  return offMm <= thick / 2 + 0.01 ? view.placeOf(point.place) : undefined;
}

function draw(svg: SVGSVGElement, view: StackView, point: SpacePoint | undefined): void {
  const place = point && placeOn(view, point);
  const path = svg.firstElementChild;
  if (!(place && path)) {
    delete svg.dataset["at"];
    return;
  }
  const [x, y] = place;
  svg.dataset["at"] = `${x.toFixed(1)} ${y.toFixed(1)}`;
  const arms = [
    `M ${x - ARM} ${y} H ${x - FREE}`,
    `M ${x + FREE} ${y} H ${x + ARM}`,
    `M ${x} ${y - ARM} V ${y - FREE}`,
    `M ${x} ${y + FREE} V ${y + ARM}`,
  ];
  path.setAttribute("d", arms.join(" "));
}

export interface PointMarkProps {
  readonly view: StackView | undefined;
  readonly point: Store<SpacePoint | undefined>;
}

export function PointMark({ view, point }: PointMarkProps) {
  const ref = useRef<SVGSVGElement>(null);
  useEffect(() => {
    const svg = ref.current;
    if (!(view && svg)) return undefined;
    const redraw = () => draw(svg, view, point.get());
    redraw();
    const stops = [point, view.stack, view.look.presentation].map((store) => store.subscribe(redraw));
    return () => {
      for (const stop of stops) stop();
    };
  }, [view, point]);
  return (
    <svg ref={ref} className={styles["point"]} aria-hidden="true" data-point="">
      <path />
    </svg>
  );
}
