// What stands below a picture that leaves the room: that nobody may diagnose by it, what it is, how long a centimetre is.

import type { TFunction } from "i18next";
import type { Study } from "../../api/types";
import type { Caption } from "../../engine/capture/shot";
import { decimalsOf, rounded, type VoiWindow } from "../../engine/frames/windowing";
import { scaleBar } from "../../engine/slides/geometry";
import type { StackView } from "../../engine/stack/stackView";
import { displayName, formatDicomDay, formatMicrons, formatNumber } from "../../ui/format";
import type { Language } from "../../ui/preferences";

const BAR_MAX = 160;
const MICRONS = 1000;

/** Microns of a screen pixel as the picture stands; undefined where its lengths are not known. */
function micronsOf(view: StackView): number | undefined {
  const frame = view.currentFrame();
  const [corner, right] = [view.spotOf({ column: 0, row: 0 }), view.spotOf({ column: 1, row: 0 })];
  if (!frame?.spacing || !corner || !right) return undefined;
  const pixel = Math.hypot(right[0] - corner[0], right[1] - corner[1]);
  return pixel > 0 ? (frame.spacing.columnMm * MICRONS) / pixel : undefined;
}

/** Lines below a picture: what it is, and, when it is asked, whose. */
export function linesOf(facts: readonly string[], named: Study | undefined): readonly string[] {
  const person = named && [
    displayName(named.patientName),
    named.patientID,
    formatDicomDay(named.patientBirthDate),
    formatDicomDay(named.studyDate),
  ];
  return [facts, person ?? []].map((line) => line.filter(Boolean).join(" · ")).filter(Boolean);
}

/** A bar of a length that is easy to say; undefined where the picture's lengths are not known. */
export function barFor(micronsPerPixel: number | undefined, language: Language): Caption["bar"] {
  if (micronsPerPixel === undefined || !(micronsPerPixel > 0)) return undefined;
  const { microns, length } = scaleBar(micronsPerPixel, BAR_MAX);
  return { length, text: formatMicrons(microns, language) };
}

function windowWords(window: VoiWindow, language: Language): { readonly width: string; readonly center: string } {
  const { center, width } = rounded(window);
  const decimals = decimalsOf(window);
  return { width: formatNumber(width, language, decimals), center: formatNumber(center, language, decimals) };
}

/** How greys are made: by the image's table, or by a window. */
export function greyWords(
  { window, byLookup }: { readonly window: VoiWindow | undefined; readonly byLookup: boolean },
  language: Language,
  t: TFunction<"reading">,
): string {
  if (byLookup) return t("byLookup");
  if (!window) return "";
  const words = t("window", windowWords(window, language));
  return window.function ? `${words} · ${t(`voiFunction.${window.function}`)}` : words;
}

/** What stands below the image of a stack. */
export function captionOf(
  view: StackView,
  named: Study | undefined,
  language: Language,
  t: TFunction<["shown", "reading"]>,
  read: TFunction<"reading">,
): Caption {
  const frame = view.currentFrame();
  const { wanted, count } = view.stack.get();
  const { window, byLookup } = view.look.presentation.get();
  const bar = barFor(micronsOf(view), language);
  const facts = [
    frame?.modality ?? "",
    `${t("reading:slice")} ${wanted + 1}/${count}`,
    greyWords({ window: frame?.pixels.samplesPerPixel === 1 ? window : undefined, byLookup }, language, read),
    view.drawn.get()?.imageId === frame?.imageId ? "" : t("preview"),
    frame?.displayIgnored ? t(`reading:displayIgnored.${frame.displayIgnored}`) : "",
    frame?.lossy ? t("reading:lossy") : "",
    bar ? "" : t("noScale"),
    frame?.spacing?.calibration === "detector" ? t("atDetector") : "",
  ];
  return { warning: t("warning"), lines: linesOf(facts, named), bar };
}
