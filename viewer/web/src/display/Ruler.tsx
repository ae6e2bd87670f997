// How large the pixels of the display are, by a line of the test pattern that somebody has measured.

import { NumberInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { formatNumber } from "../ui/format";
import { keepPixelMm, useDrawnRuler } from "../ui/pixelSize";
import { usePreferences } from "../ui/preferences";
import styles from "./DisplayPage.module.css";
import { rulerPixels } from "./testPattern";

const MM_MAX = 2_000;

export function Ruler() {
  const { t } = useTranslation("display");
  const language = usePreferences((preferences) => preferences.language);
  const [mm, setMm] = useState<number>();
  const across = Math.round(window.screen.width * window.devicePixelRatio);
  const down = Math.round(window.screen.height * window.devicePixelRatio);
  // In a window that is narrower than the line it is drawn shorter.
  const drawn = useDrawnRuler((ruler) => ruler.pixels);
  const pixels = drawn ?? rulerPixels(across);
  const pixel = mm && pixels > 0 ? mm / pixels : undefined;
  const measured = (value: string | number) => {
    const length = typeof value === "number" && value > 0 ? value : undefined;
    setMm(length);
    if (length !== undefined && pixels > 0) keepPixelMm(length / pixels);
  };
  return (
    <>
      <p className={styles["hint"]}>{t("ruler", { pixels })}</p>
      <div className={styles["form"]}>
        <NumberInput label={t("rulerMm")} value={mm ?? ""} min={1} max={MM_MAX} onChange={measured} />
        <output className={styles["hint"]}>
          {pixel
            ? t("rulerSays", {
                pixel: formatNumber(pixel, language, 3),
                width: formatNumber(pixel * across, language),
                height: formatNumber(pixel * down, language),
              })
            : ""}
        </output>
      </div>
    </>
  );
}
