// A gamepad while a slide is looked at: its sticks move the view, its buttons are keys like those of the keyboard, so
// that the table of keys tells and changes them, too.

import { useEffect } from "react";
import type { SlideView } from "../../engine/slides/slideView";
import { heldOn, moved } from "./gamepad";

export function useGamepad(view: SlideView | undefined): void {
  useEffect(() => {
    if (!view) return undefined;
    let asked = 0;
    let before = performance.now();
    let held: ReadonlySet<string> = new Set();
    const look = (now: number) => {
      const pad = padNow();
      asked = pad ? requestAnimationFrame(look) : 0;
      if (!pad) return;
      const { across, down, zoom, keys } = moved(pad, held, (now - before) / 1_000);
      [before, held] = [now, heldOn(pad)];
      for (const key of keys) window.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
      if (document.querySelector("[role=dialog]")) return;
      if (across !== 0 || down !== 0) view.panBy(across, down);
      if (zoom !== 1) view.zoomBy(zoom);
    };
    const start = () => {
      before = performance.now();
      if (asked === 0) asked = requestAnimationFrame(look);
    };
    start();
    window.addEventListener("gamepadconnected", start);
    return () => {
      window.removeEventListener("gamepadconnected", start);
      cancelAnimationFrame(asked);
    };
  }, [view]);
}

/** The first pad whose buttons are where they are expected; browsers tell of none before a button was pressed. */
function padNow(): Gamepad | undefined {
  return navigator.getGamepads().find((pad) => pad?.mapping === "standard" && pad.connected) ?? undefined;
}
