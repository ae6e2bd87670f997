// Two sliders for the window of a picture, and the two windows that are wanted most.

import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { BRIGHT, type Contrast, isPlain, PLAIN, WIDTH_MIN } from "./contrast";
import styles from "./Picture.module.css";

export interface ContrastControlsProps {
  readonly contrast: Contrast;
  readonly onChange: (contrast: Contrast) => void;
}

export function ContrastControls({ contrast, onChange }: ContrastControlsProps) {
  const { t } = useTranslation("review");
  const isBright = contrast.level === BRIGHT.level && contrast.width === BRIGHT.width;
  return (
    <fieldset className={styles["contrast"]} aria-label={t("window")}>
      <Button
        variant="default"
        size="compact-sm"
        aria-pressed={isBright}
        onClick={() => onChange(isBright ? PLAIN : BRIGHT)}
      >
        {t("brighter")}
      </Button>
      {(["level", "width"] as const).map((what) => (
        <label key={what} className={styles["dial"]}>
          <span>{t(what)}</span>
          <input
            type="range"
            min={what === "width" ? WIDTH_MIN : 0}
            max={100}
            value={contrast[what]}
            aria-valuetext={`${contrast[what]} %`}
            onChange={(event) => onChange({ ...contrast, [what]: Number(event.currentTarget.value) })}
          />
        </label>
      ))}
      <Button variant="default" size="compact-sm" disabled={isPlain(contrast)} onClick={() => onChange(PLAIN)}>
        {t("plain")}
      </Button>
    </fieldset>
  );
}
