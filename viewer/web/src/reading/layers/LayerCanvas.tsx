// Overlays and segmentations over one picture. Drawn without React: they move with the wheel.

import { useEffect, useRef } from "react";
import type { Frame } from "../../engine/frames/frame";
import type { ImagePoint } from "../../engine/frames/geometry";
import type { Drawn, Layers } from "../../engine/layers/layers";
import type { Line, Spot as Place, Words } from "../../engine/layers/presentationState";
import { onSized } from "../../engine/sized";
import type { StackView } from "../../engine/stack/stackView";
import styles from "./LayerCanvas.module.css";

function draw(canvas: HTMLCanvasElement, view: StackView, layers: Layers): void {
  const ratio = window.devicePixelRatio;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (width === 0 || height === 0) return;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) return;
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  const { shown } = view.stack.get();
  const frame = shown === undefined ? undefined : view.allFrames()[shown];
  const drawn = frame ? layers.on(frame) : [];
  canvas.dataset["layers"] = String(drawn.length);
  // The slider beside the picture stays free.
  const picture = canvas.parentElement?.querySelector("[data-backend]");
  context.beginPath();
  context.rect(0, 0, (picture?.clientWidth ?? 0) * ratio, height);
  const [corner, right, below] = [
    view.spotOf({ column: 0, row: 0 }),
    view.spotOf({ column: 1, row: 0 }),
    view.spotOf({ column: 0, row: 1 }),
  ];
  if (corner && right && below) {
    drawAll(context, drawn, [corner, right, below], ratio);
    const [graphics, others] = frame ? [layers.graphics(frame), layers.othersOn(frame)] : [[], []];
    canvas.dataset["graphics"] = String(graphics.length);
    canvas.dataset["others"] = String(others.length);
    if (frame) {
      drawGraphics(context, view, frame, graphics, GRAPHIC_COLOR);
      drawGraphics(context, view, frame, others, OTHERS_COLOR);
    }
  }
  context.restore();
}

const GRAPHIC_COLOR = "#7fe3ff";
/** Neither of the marks that are drawn here, nor of a presentation state. */
const OTHERS_COLOR = "#d7b0ff";
const CROSS = 5;

type Spot = readonly [number, number];

function drawAll(
  context: CanvasRenderingContext2D,
  drawn: readonly Drawn[],
  [corner, right, below]: readonly [Spot, Spot, Spot],
  ratio: number,
): void {
  context.clip();
  const [x, y] = corner;
  context.setTransform(
    (right[0] - x) * ratio,
    (right[1] - y) * ratio,
    (below[0] - x) * ratio,
    (below[1] - y) * ratio,
    x * ratio,
    y * ratio,
  );
  context.imageSmoothingEnabled = false;
  for (const { picture, column, row, across, down } of drawn) {
    context.drawImage(picture, column, row, picture.width * across, picture.height * down);
  }
}

/** Lines and words as wide and as large on the screen, however the image is zoomed. */
function drawGraphics(
  context: CanvasRenderingContext2D,
  view: StackView,
  frame: Frame,
  graphics: readonly (Line | Place | Words)[],
  color: string,
): void {
  const ratio = window.devicePixelRatio;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.strokeStyle = color;
  context.fillStyle = color;
  context.lineWidth = 1.5;
  context.font = "15px system-ui, sans-serif";
  const { columns, rows } = frame.pixels;
  for (const graphic of graphics) {
    const spot = ({ column, row }: ImagePoint) =>
      view.spotOf(graphic.units === "image" ? { column, row } : { column: column * columns, row: row * rows });
    if (graphic.kind === "words") {
      const at = spot(graphic.at);
      if (at) write(context, graphic.text, at);
      continue;
    }
    context.beginPath();
    if (graphic.kind === "spot") {
      const [x, y] = spot(graphic.at) ?? [Number.NaN, Number.NaN];
      context.moveTo(x - CROSS, y);
      context.lineTo(x + CROSS, y);
      context.moveTo(x, y - CROSS);
      context.lineTo(x, y + CROSS);
      context.stroke();
      continue;
    }
    for (const point of graphic.points) {
      const at = spot(point);
      if (at) context.lineTo(...at);
    }
    context.stroke();
    if (graphic.filled) context.fill();
  }
}

/** Words under a place, dark around, so that they are read on bright tissue too. */
function write(context: CanvasRenderingContext2D, text: string, [x, y]: Spot): void {
  context.save();
  context.lineWidth = 3;
  context.strokeStyle = "#000000";
  for (const [line, words] of text.split(/\r\n|\r|\n/).entries()) {
    const below = y + 15 + line * 18;
    context.strokeText(words, x, below);
    context.fillText(words, x, below);
  }
  context.restore();
}

export interface LayerCanvasProps {
  readonly view: StackView | undefined;
  readonly layers: Layers;
}

export function LayerCanvas({ view, layers }: LayerCanvasProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = ref.current;
    if (!(view && canvas)) return undefined;
    let asked = 0;
    const redraw = () => {
      asked = 0;
      draw(canvas, view, layers);
    };
    const ask = () => {
      asked ||= requestAnimationFrame(redraw);
    };
    ask();
    const stops = [layers.changed, view.stack, view.look.presentation].map((store) => store.subscribe(ask));
    const unsized = onSized(canvas, ask);
    return () => {
      cancelAnimationFrame(asked);
      unsized();
      for (const stop of stops) stop();
    };
  }, [view, layers]);
  // What is drawn here is named in the menu of layers.
  return <canvas ref={ref} className={styles["layers"]} />;
}
