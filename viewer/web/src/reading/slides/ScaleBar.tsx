// The scale bar: follows the engine without React.

import { useEffect, useRef } from "react";
import { micronsPerScreenPixel, scaleBar } from "../../engine/slides/geometry";
import type { SlideView } from "../../engine/slides/slideView";
import { formatMicrons } from "../../ui/format";
import { usePreferences } from "../../ui/preferences";
import styles from "./SlideOverlays.module.css";

const LENGTH_MAX = 160;

export function ScaleBar({ view }: { readonly view: SlideView }) {
  const language = usePreferences((preferences) => preferences.language);
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const draw = () => {
      const element = bar.current;
      const perPixel = micronsPerScreenPixel(view.slide, view.camera.get().zoom);
      if (!element) return;
      element.hidden = perPixel === undefined;
      if (perPixel === undefined) return;
      const { microns, length } = scaleBar(perPixel, LENGTH_MAX);
      element.style.width = `${length}px`;
      const text = formatMicrons(microns, language);
      if (element.textContent !== text) element.textContent = text;
    };
    draw();
    return view.camera.subscribe(draw);
  }, [view, language]);
  return <div ref={bar} className={styles["scaleBar"]} data-scale-bar />;
}
