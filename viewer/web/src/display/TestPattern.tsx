// The test pattern over the whole window, one level for each pixel of the display: nothing is scaled.

import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useDrawnRuler } from "../ui/pixelSize";
import styles from "./DisplayPage.module.css";
import { paint, rulerPixels } from "./testPattern";

function draw(canvas: HTMLCanvasElement, width: number, height: number): void {
  const context = canvas.getContext("2d");
  if (!context || width === 0 || height === 0) return;
  canvas.width = width;
  canvas.height = height;
  canvas.style.width = `${width / window.devicePixelRatio}px`;
  canvas.style.height = `${height / window.devicePixelRatio}px`;
  const picture = new ImageData(width, height);
  for (const [at, level] of paint(width, height).entries()) {
    picture.data.set([level, level, level, 255], at * 4);
  }
  context.putImageData(picture, 0, 0);
  useDrawnRuler.setState({ pixels: rulerPixels(width) });
}

export function TestPattern({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation("display");
  const cover = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = cover.current;
    if (!element) return undefined;
    element.focus();
    // Without the whole screen the pattern fills the window, which is as exact.
    element.requestFullscreen?.().catch(() => undefined);
    const resize = new ResizeObserver(([entry]) => {
      const size = entry?.devicePixelContentBoxSize?.[0];
      if (canvas.current && size) draw(canvas.current, size.inlineSize, size.blockSize);
    });
    resize.observe(element, { box: "device-pixel-content-box" });
    return () => {
      resize.disconnect();
      if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
    };
  }, []);
  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      if (event.key === "Escape") onClose();
    };
    window.addEventListener("keydown", close);
    return () => window.removeEventListener("keydown", close);
  }, [onClose]);
  return (
    <div ref={cover} className={styles["pattern"]} role="dialog" aria-modal aria-label={t("pattern")} tabIndex={-1}>
      <canvas ref={canvas} role="img" aria-label={t("patternWhat")} />
      <button type="button" className={styles["close"]} onClick={onClose}>
        {t("patternClose")}
      </button>
    </div>
  );
}
