// Mouse, pen and finger on a reconstruction's picture: move the point, turn planes, window, zoom, pan, step.

import { rounded, type VoiWindow, withContrast } from "../frames/windowing";
import { turn } from "../stack/wheel";
import type { Mpr } from "./mpr";
import { HANDLE_RADIUS, type MprPane } from "./mprPane";

/** What the left button, or one finger, does. */
export type MprTool = "crosshair" | "windowLevel" | "pan" | "zoom";

type Drag = (event: PointerEvent, by: readonly [number, number]) => void;

const REACH = HANDLE_RADIUS + 5;
const WHEEL_ZOOM = 1.1;
/** The window's width changes by this share for each pixel, at least by one. */
const WINDOW_SHARE = 1 / 256;

function windowed(window: VoiWindow, [x, y]: readonly [number, number]): VoiWindow {
  const step = window.width * WINDOW_SHARE;
  const widened = withContrast(window, 1 + x * WINDOW_SHARE);
  return { ...widened, center: window.center + y * step };
}

/** Listen on a pane's element; `tool` is asked at each press. Answers how to stop. */
export function handle(pane: MprPane, mpr: Mpr, tool: () => MprTool): () => void {
  const { element } = pane;
  let drag: Drag | undefined;
  let last: readonly [number, number] = [0, 0];
  let wheelRest = 0;

  const at = (event: PointerEvent): readonly [number, number] => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const toPoint = (event: PointerEvent) => {
    const place = pane.placeAt(...at(event));
    if (place) mpr.moveTo(place);
  };
  const drags: Readonly<Record<MprTool, Drag>> = {
    crosshair: toPoint,
    windowLevel: (_, by) => mpr.setWindow(windowed(mpr.state.get().window, by)),
    pan: (_, by) => pane.panBy(...by),
    zoom: (_, by) => pane.zoomBy(1.01 ** -by[1]),
  };
  const turning = (event: PointerEvent): Drag | undefined => {
    const [x, y] = at(event);
    const held = pane.handles.find((one) => Math.hypot(one.x - x, one.y - y) <= REACH);
    const [a, b] = pane.handles.filter((one) => one.plane === held?.plane);
    if (!(held && a && b)) return undefined;
    const [middleX, middleY] = [(a.x + b.x) / 2, (a.y + b.y) / 2];
    const angle = (place: readonly [number, number]) => Math.atan2(place[1] - middleY, place[0] - middleX);
    let before = angle([x, y]);
    return (moved) => {
      const now = angle(at(moved));
      mpr.turn(pane.plane, ((now - before) * 180) / Math.PI);
      before = now;
    };
  };
  const begin = (event: PointerEvent): Drag => {
    if (event.button === 1) return drags.pan;
    if (event.button === 2) return drags.zoom;
    return turning(event) ?? drags[tool()];
  };
  const onDown = (event: PointerEvent) => {
    drag = begin(event);
    last = [event.clientX, event.clientY];
    element.setPointerCapture(event.pointerId);
    if (drag === toPoint) toPoint(event);
  };
  const onMove = (event: PointerEvent) => {
    if (!drag) return;
    const by = [event.clientX - last[0], event.clientY - last[1]] as const;
    last = [event.clientX, event.clientY];
    drag(event, by);
  };
  const onUp = () => {
    if (drag === drags.windowLevel && !mpr.state.get().own) mpr.setWindow(rounded(mpr.state.get().window));
    drag = undefined;
  };
  const onWheel = (event: WheelEvent) => {
    event.preventDefault();
    if (event.ctrlKey) {
      pane.zoomBy(event.deltaY < 0 ? WHEEL_ZOOM : 1 / WHEEL_ZOOM);
      return;
    }
    const { slices, rest } = turn(wheelRest, event.deltaY, event.deltaMode);
    wheelRest = rest;
    if (slices !== 0) mpr.step(pane.plane, slices);
  };
  const stops = [
    listen(element, "pointerdown", onDown),
    listen(element, "pointermove", onMove),
    listen(element, "pointerup", onUp),
    listen(element, "pointercancel", onUp),
    listen(element, "wheel", onWheel),
    listen(element, "contextmenu", (event) => event.preventDefault()),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function listen<K extends keyof HTMLElementEventMap>(
  element: HTMLElement,
  kind: K,
  listener: (event: HTMLElementEventMap[K]) => void,
): () => void {
  element.addEventListener(kind, listener, { passive: false });
  return () => element.removeEventListener(kind, listener);
}
