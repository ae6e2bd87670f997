// The windows that an image brings along (PS3.3 C.11.2.1.2): several are alternative views, the first is the default. Pure.

import { type JsonDataSet, numbersInPlace, text, textsInPlace } from "./dicomJson";
import { sameWindow, type VoiWindow, windowOfFunction } from "./windowing";

export interface ImageWindow {
  readonly window: VoiWindow;
  /** Window Center & Width Explanation (0028,1055), as long as a menu has room for; empty: none. */
  readonly explanation: string;
}

/** So many of an image's windows are looked at. */
export const WINDOWS_MAX = 8;
export const EXPLANATION_MAX = 24;

/** One line, without what no reader sees and what turns the line round. */
function explained(told: string | undefined): string {
  const characters = [...(told ?? "").replaceAll(/[\p{C}\p{Z}]+/gu, " ").trim()];
  return characters.length > EXPLANATION_MAX
    ? `${characters.slice(0, EXPLANATION_MAX - 1).join("")}…`
    : characters.join("");
}

/** What an image tells as a window, in its order; undefined is too narrow to be one. Half a pair is none. */
export function windowsIn(group: JsonDataSet): readonly (ImageWindow | undefined)[] {
  const widths = numbersInPlace(group, "00281051");
  const explanations = textsInPlace(group, "00281055");
  const voiFunction = text(group, "00281056");
  const pairs = numbersInPlace(group, "00281050").slice(0, WINDOWS_MAX);
  return pairs.flatMap((center, place) => {
    const width = widths[place];
    if (center === undefined || width === undefined) return [];
    const window = windowOfFunction(center, width, voiFunction);
    return [window && { window, explanation: explained(explanations[place]) }];
  });
}

/** Each window once. */
export function unlike(windows: readonly (ImageWindow | undefined)[]): readonly ImageWindow[] {
  const all = windows.flatMap((one) => one ?? []);
  return all.filter(({ window }, place) => all.findIndex((other) => sameWindow(other.window, window)) === place);
}

/** What an image is opened with, where that is a window of its own, and its other windows. */
export interface OwnWindows {
  readonly opening: ImageWindow | undefined;
  readonly others: readonly ImageWindow[];
}

export const NO_WINDOWS: OwnWindows = { opening: undefined, others: [] };

/** `window` is the default, unless the image is shown by its VOI LUT: then all windows are others. */
export function ownWindows(
  windows: readonly ImageWindow[],
  window: VoiWindow | undefined,
  byLookup: boolean,
): OwnWindows {
  const opening = byLookup ? undefined : windows.find((one) => one.window === window);
  return { opening, others: windows.filter((one) => one !== opening) };
}

/** The window after the one that is shown; undefined: what the image is opened with, which `isOwn` says is shown now. */
export function windowAfter(
  { opening, others }: OwnWindows,
  shown: VoiWindow | undefined,
  isOwn: boolean,
): ImageWindow | undefined {
  // A hanging protocol, or the reader, may have chosen the same window: it looks the same, so the next one comes.
  if (isOwn || (opening && shown && sameWindow(opening.window, shown))) return others[0];
  const place = others.findIndex(({ window }) => shown && sameWindow(window, shown));
  return place < 0 ? undefined : others[place + 1];
}
