// The segments of a slide's segmentations: each on or off and as opaque as one likes, and why one cannot be shown.

import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { keepSliderKeys } from "../../ui/hotkeys";
import styles from "./BulkPanel.module.css";
import own from "./SegmentPanel.module.css";
import type { ListedSegment, ListedSegmentation, Segments } from "./useSegments";

const OPACITY_MIN = 0.05;
const OPACITY_STEP = 0.05;

export function SegmentPanel({ segments }: { readonly segments: Segments }) {
  const { t } = useTranslation(["slides", "common"]);
  return (
    <aside className={styles["panel"]} aria-label={t("segments.title")}>
      <h2 className={styles["title"]}>{t("segments.title")}</h2>
      <div className={own["scroll"]}>
        {segments.all.map((one, index) => (
          <Segmentation key={one.segmentation.id} one={one} index={index} segments={segments} />
        ))}
      </div>
      {segments.busy ? (
        <p className={styles["note"]} role="status">
          {t("segments.busy")}
        </p>
      ) : null}
      {segments.failed ? (
        <p className={styles["note"]} role="alert">
          {t("segments.failed")}{" "}
          <Button size="compact-xs" variant="default" onClick={segments.retry}>
            {t("common:retry")}
          </Button>
        </p>
      ) : null}
    </aside>
  );
}

interface SegmentationProps {
  readonly one: ListedSegmentation;
  readonly index: number;
  readonly segments: Segments;
}

function Segmentation({ one, index, segments }: SegmentationProps) {
  const { t } = useTranslation("slides");
  const { label, reason } = one.segmentation;
  return (
    <section>
      <h3 className={own["name"]}>{label || t("segments.number", { number: index + 1 })}</h3>
      {reason ? <p className={styles["note"]}>{t(`segments.reason.${reason}`)}</p> : null}
      <ul className={styles["list"]}>
        {one.segments.map((listed) => (
          <Segment key={listed.key} listed={listed} segments={segments} />
        ))}
      </ul>
    </section>
  );
}

function Segment({ listed, segments }: { readonly listed: ListedSegment; readonly segments: Segments }) {
  const { t } = useTranslation("slides");
  const { key, segment, color, isOn, opacity } = listed;
  const name = segment.label || segment.type || t("segments.segment", { number: segment.number });
  return (
    <li>
      <div className={own["segment"]}>
        <label className={styles["group"]}>
          <input type="checkbox" checked={isOn} onChange={() => segments.toggle(key)} />
          <span>
            {name}
            <small>{[segment.label ? segment.type : "", segment.algorithm].filter(Boolean).join(" · ")}</small>
          </span>
        </label>
        <input
          className={own["opacity"]}
          type="range"
          min={OPACITY_MIN}
          max={1}
          step={OPACITY_STEP}
          value={opacity}
          disabled={!isOn}
          aria-label={t("segments.opacity", { name })}
          aria-valuetext={`${Math.round(opacity * 100)}%`}
          onKeyDown={keepSliderKeys}
          onChange={(event) => segments.setOpacity(key, Number(event.currentTarget.value))}
        />
      </div>
      <span className={styles["color"]} style={{ background: `rgb(${color.join(" ")})` }} aria-hidden />
    </li>
  );
}
