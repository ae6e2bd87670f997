// The texts on a slide: which it is, how much it is magnified, how long things are, and where its label lies.

import { useTranslation } from "react-i18next";
import type { Camera } from "../../engine/slides/camera";
import { labelSide, micronsPerScreenPixel, nativePower, uprightDegrees } from "../../engine/slides/geometry";
import type { SlideView } from "../../engine/slides/slideView";
import { formatNumber, formatPower } from "../../ui/format";
import { usePreferences } from "../../ui/preferences";
import { Live } from "../viewport/Live";
import { ScaleBar } from "./ScaleBar";
import styles from "./SlideOverlays.module.css";

export interface SlideOverlaysProps {
  readonly view: SlideView;
  readonly title: string;
}

export function SlideOverlays({ view, title }: SlideOverlaysProps) {
  const { t } = useTranslation("slides");
  const language = usePreferences((preferences) => preferences.language);
  const { slide } = view;
  const native = nativePower(slide);
  const upright = uprightDegrees(slide.orientation);
  return (
    <div className={styles["overlays"]}>
      <div className={styles["topLeft"]}>
        <span className={styles["strong"]}>{title}</span>
        <Live store={view.camera}>
          {({ degrees, mirrored }) => {
            const side = labelSide(slide.orientation, degrees, mirrored);
            return side ? t("labelSide", { side: t(`side.${side}`) }) : t("asStored");
          }}
        </Live>
      </div>
      <div className={styles["bottomLeft"]}>
        <Live store={view.camera} className={styles["strong"]}>
          {({ zoom }) =>
            native === undefined
              ? `${formatNumber(zoom * 100, language)}%`
              : t("power", { power: formatPower(native * zoom, language) })
          }
        </Live>
        <Live store={view.camera}>
          {({ zoom }) => {
            const microns = micronsPerScreenPixel(slide, zoom);
            if (microns === undefined) return t("unscaled");
            return t("mpp", { microns: formatNumber(microns, language, microns < 10 ? 2 : 0) });
          }}
        </Live>
        <Live store={view.camera}>{(camera) => turnText(camera, upright, t)}</Live>
        <ScaleBar view={view} />
      </div>
    </div>
  );
}

type Translate = ReturnType<typeof useTranslation<"slides">>["t"];

/** How far somebody turned the slide, as it is seen. */
function turnText({ degrees, mirrored }: Camera, upright: number, t: Translate): string {
  const by = mirrored ? upright - degrees : degrees - upright;
  const turned = Math.round(((by % 360) + 360) % 360) % 360;
  return [turned === 0 ? "" : t("turned", { degrees: turned }), mirrored ? t("mirrored") : ""]
    .filter(Boolean)
    .join(" · ");
}
