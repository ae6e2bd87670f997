// What stands below a picture that leaves the room: that nobody may diagnose by it, what it is, how long a centimetre is.

import type { TFunction } from "i18next";
import type { Study } from "../../api/types";
import type { Caption } from "../../engine/capture/shot";
import { scaleBar } from "../../engine/slides/geometry";
import type { StackView } from "../../engine/stackView";
import { rounded } from "../../engine/windowing";
import { displayName, formatDicomDay, formatMicrons, formatNumber } from "../../ui/format";
import type { Language } from "../../ui/preferences";

const BAR_MAX = 160;
const MICRONS = 1000;
const WHOLE_BELOW = 10;

/** The bar for the picture as it stands; nothing where its lengths are not known. */
function barOf(view: StackView, language: Language): Caption["bar"] {
  const frame = view.currentFrame();
  const [corner, right] = [view.spotOf({ column: 0, row: 0 }), view.spotOf({ column: 1, row: 0 })];
  if (!frame?.spacing || !corner || !right) return undefined;
  const pixel = Math.hypot(right[0] - corner[0], right[1] - corner[1]);
  if (!(pixel > 0)) return undefined;
  const { microns, length } = scaleBar((frame.spacing.columnMm * MICRONS) / pixel, BAR_MAX);
  return { length, text: formatMicrons(microns, language) };
}

/** `named`: the study whose patient shall stand there; undefined for none. */
export function captionOf(
  view: StackView,
  named: Study | undefined,
  language: Language,
  t: TFunction<["shown", "reading"]>,
): Caption {
  const frame = view.currentFrame();
  const { wanted, count } = view.stack.get();
  const { window } = view.look.presentation.get();
  const { center, width } = window ? rounded(window) : { center: 0, width: 0 };
  const decimals = width < WHOLE_BELOW ? 1 : 0;
  const figures = { width: formatNumber(width, language, decimals), center: formatNumber(center, language, decimals) };
  const bar = barOf(view, language);
  const facts = [
    frame?.modality ?? "",
    `${t("reading:slice")} ${wanted + 1}/${count}`,
    window && frame?.pixels.samplesPerPixel === 1 ? t("reading:window", figures) : "",
    view.drawn.get() === frame ? "" : t("preview"),
    frame?.lossy ? t("reading:lossy") : "",
    bar ? "" : t("noScale"),
    frame?.spacing?.calibration === "detector" ? t("atDetector") : "",
  ];
  const person = named && [
    displayName(named.patientName),
    named.patientID,
    formatDicomDay(named.patientBirthDate),
    formatDicomDay(named.studyDate),
  ];
  return {
    warning: t("warning"),
    lines: [facts, person ?? []].map((line) => line.filter(Boolean).join(" · ")).filter(Boolean),
    bar,
  };
}
