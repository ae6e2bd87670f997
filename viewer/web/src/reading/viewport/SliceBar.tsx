// The slider through a stack, with a mark for each slice that is there.

import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Frame } from "../../engine/frames/frame";
import { frameStates, isProblem, stateOf, tierOf } from "../../engine/loading/frameStates";
import type { StackView } from "../../engine/stack/stackView";
import styles from "./SliceBar.module.css";

/** How strongly a slice is marked that is here at a quarter of its resolution, at half, whole. */
const SHARPNESS = { 0: 0.35, 1: 0.65, 2: 1 } as const;

export interface SliceBarProps {
  readonly view: StackView;
  readonly frames: readonly Frame[];
}

export function SliceBar({ view, frames }: SliceBarProps) {
  const { t } = useTranslation("reading");
  const inputRef = useRef<HTMLInputElement>(null);
  const canvasRef = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    const follow = () => {
      const { wanted, count } = view.stack.get();
      const input = inputRef.current;
      if (!input) return;
      input.value = String(wanted);
      input.setAttribute("aria-valuetext", t("sliceOf", { index: wanted + 1, count }));
    };
    follow();
    return view.stack.subscribe(follow);
  }, [view, t]);

  useEffect(() => {
    let asked: number | undefined;
    const paint = () => {
      asked = undefined;
      if (canvasRef.current) paintStates(canvasRef.current, frames);
    };
    const ask = () => {
      asked ??= requestAnimationFrame(paint);
    };
    ask();
    const stop = frameStates.subscribe(ask);
    return () => {
      stop();
      if (asked !== undefined) cancelAnimationFrame(asked);
    };
  }, [frames]);

  return (
    <div className={styles["bar"]}>
      <canvas ref={canvasRef} className={styles["states"]} width={1} height={Math.max(frames.length, 1)} aria-hidden />
      <input
        ref={inputRef}
        className={styles["slider"]}
        type="range"
        min={0}
        max={Math.max(frames.length - 1, 0)}
        step={1}
        defaultValue={0}
        aria-label={t("slice")}
        onInput={(event) => view.goTo(Number(event.currentTarget.value))}
      />
    </div>
  );
}

/** One pixel a slice; the style sheet stretches it to the bar. */
function paintStates(canvas: HTMLCanvasElement, frames: readonly Frame[]): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const colours = getComputedStyle(canvas);
  const [ready, bad] = [colours.getPropertyValue("--va-loaded"), colours.getPropertyValue("--va-failed")];
  context.clearRect(0, 0, 1, canvas.height);
  for (const [index, frame] of frames.entries()) {
    const state = stateOf(frame.imageId);
    if (state !== "ready" && !isProblem(state)) continue;
    context.fillStyle = state === "ready" ? ready : bad;
    context.globalAlpha = state === "ready" ? SHARPNESS[tierOf(frame.imageId) ?? 0] : 1;
    context.fillRect(0, index, 1, 1);
  }
}
