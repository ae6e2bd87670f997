// The command for the plane of a reconstruction that keys work on: its picture as it stands.

import { useTranslation } from "react-i18next";
import type { StudyKey } from "../../api/queries";
import type { Stack } from "../../engine/frames/stacks";
import { sliceNear } from "../../engine/stack/pointing";
import type { Built } from "../../engine/volumes/build";
import type { MprPane } from "../../engine/volumes/mprPane";
import { formatNumber } from "../../ui/format";
import { usePreferences } from "../../ui/preferences";
import { barFor, greyWords, linesOf } from "../shown/captionOf";
import { instanceOf, type Subject } from "../shown/subject";
import { TakePicture } from "../shown/TakePicture";

const MICRONS = 1000;

export interface TakeOfPlaneProps {
  readonly study: StudyKey;
  readonly built: Built;
  readonly stack: Stack;
  readonly pane: MprPane;
}

export function TakeOfPlane({ study, built, stack, pane }: TakeOfPlaneProps) {
  const { t } = useTranslation(["volumes", "shown", "reading"]);
  const { t: read } = useTranslation("reading");
  const language = usePreferences((preferences) => preferences.language);
  const { mpr, gathering } = built;
  const [first] = stack.frames;
  const facts = () => {
    const { slab, window, lookup } = mpr.state.get();
    const { ignored } = mpr.brought.get();
    const { count, here } = gathering.progress.get();
    const plane = t(`plane.${pane.plane}`);
    const value = formatNumber(slab.thicknessMm, language, 1);
    return [
      first?.modality ?? "",
      t("mpr"),
      mpr.isUpright() ? plane : t("oblique", { plane }),
      slab.thicknessMm > 0 ? t("slabOf", { mode: t(`slabShort.${slab.mode}`), value }) : "",
      greyWords({ window, byLookup: lookup !== undefined }, language, read),
      ignored ? read(`displayIgnored.${ignored}`) : "",
      here < count ? t("gathering", { here, count }) : "",
      first?.lossy ? t("reading:lossy") : "",
    ];
  };
  const subject: Subject = {
    element: pane.element,
    stage: pane.element,
    // Of the slices that it is made of, the one at the point is named.
    instance: () => instanceOf(stack.frames[sliceNear(stack.frames, mpr.state.get().point) ?? 0] ?? first),
    caption: (named) => {
      const mm = pane.pixelMm();
      const bar = barFor(mm === undefined ? undefined : mm * MICRONS, language);
      return { warning: t("shown:warning"), lines: linesOf(facts(), named), bar };
    },
    name: () => `${first?.modality ?? "image"}-${pane.plane}`,
    burnedIn: false,
  };
  return <TakePicture study={study} subject={subject} />;
}
