// How large the pixels of the display are, as somebody measured it on the test pattern; kept at this computer.

import { create } from "zustand";

const KEY = "vienanh.pixelMm";
/** Pixels of displays, from those of a telephone to those of a wall. */
const [MM_MIN, MM_MAX] = [0.02, 5];

/** Names the display as far as a browser knows it: another one has other pixels. */
function screenSize(): string {
  const { screen, devicePixelRatio } = window;
  return `${Math.round(screen.width * devicePixelRatio)}x${Math.round(screen.height * devicePixelRatio)}`;
}

/** What was kept for a display of this size; undefined when nothing usable was. */
export function pixelMmIn(kept: string | null, size: string): number | undefined {
  const [of, mm] = (kept ?? "").split(" ");
  const value = Number(mm);
  return of === size && value >= MM_MIN && value <= MM_MAX ? value : undefined;
}

/** Millimetres of a device pixel; undefined when nobody measured this display. */
export function measuredPixelMm(): number | undefined {
  try {
    return pixelMmIn(localStorage.getItem(KEY), screenSize());
  } catch {
    return undefined;
  }
}

export function keepPixelMm(mm: number): void {
  try {
    localStorage.setItem(KEY, `${screenSize()} ${mm}`);
  } catch {
    // a browser that keeps nothing: true size is not known, which is said
  }
}

/** How long the line of the test pattern was when it was last drawn, device pixels; undefined before that. */
export const useDrawnRuler = create<{ readonly pixels: number | undefined }>()(() => ({ pixels: undefined }));
