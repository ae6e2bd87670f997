// One study of the list: a row on a desk, a card on a phone; the same elements, laid out by the style sheet.

import { IconAlertTriangle, IconBolt, IconCheck, IconClockUp, IconDownload } from "@tabler/icons-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import type { Priority, Study } from "../api/types";
import { useBodyPart } from "../ui/bodyPart";
import { ageAt, dicomDate, displayName, formatAgo, formatDicomDay, formatMoment } from "../ui/format";
import { type Language, usePreferences } from "../ui/preferences";
import styles from "./Row.module.css";
import { type Completeness, completeness, imageCount, progress } from "./studyText";

export interface RowProps {
  readonly study: Study;
  /** From zero, among all rows of the list. */
  readonly index: number;
  readonly now: Date;
  readonly chosen: boolean;
  readonly onOpen: () => void;
}

/** Names a row to the grid that holds it. */
export function rowId(index: number): string {
  return `study-${index}`;
}

const PRIORITY_ICON: Readonly<Record<Priority, typeof IconBolt | undefined>> = {
  stat: IconBolt,
  urgent: IconClockUp,
  routine: undefined,
};

const COMPLETENESS_ICON: Readonly<Record<Completeness, typeof IconBolt>> = {
  receiving: IconDownload,
  complete: IconCheck,
  short: IconAlertTriangle,
};

export const Row = memo(function Row({ study, index, now, chosen, onOpen }: RowProps) {
  const language = usePreferences((preferences) => preferences.language);
  return (
    // The grid around the rows has the keyboard; a row is only clicked.
    // biome-ignore lint/a11y/useKeyWithClickEvents: arrows and Enter are handled by the grid
    <div
      role="row"
      id={rowId(index)}
      aria-rowindex={index + 2}
      className={styles["row"]}
      data-priority={study.priority}
      data-chosen={chosen}
      aria-selected={chosen}
      onClick={onOpen}
    >
      <PriorityCell priority={study.priority} />
      <PatientCell study={study} now={now} />
      <StudyCell study={study} />
      <ImagesCell study={study} />
      <ReceivedCell at={study.lastReceivedAt} now={now} language={language} />
      <span role="gridcell" className={styles["site"]}>
        {study.site}
      </span>
    </div>
  );
});

function PriorityCell({ priority }: { readonly priority: Priority }) {
  const { t } = useTranslation();
  const Icon = PRIORITY_ICON[priority];
  return (
    <span role="gridcell" className={styles["priority"]}>
      <span className={styles["badge"]} data-priority={priority}>
        {Icon ? <Icon size={15} aria-hidden /> : null}
        {t(`priority.${priority}`)}
      </span>
    </span>
  );
}

function PatientCell({ study, now }: { readonly study: Study; readonly now: Date }) {
  const { t } = useTranslation();
  const name = displayName(study.patientName);
  const age = ageAt(study.patientBirthDate, dicomDate(study.studyDate) ?? now);
  const sex =
    study.patientSex === "M" || study.patientSex === "F" || study.patientSex === "O" ? study.patientSex : undefined;
  const facts = [sex && t(`sex.${sex}`), age !== undefined && t("age", { count: age })].filter(Boolean);
  return (
    <span role="gridcell" className={styles["patient"]}>
      <span className={styles["main"]}>{name || t("unknown")}</span>
      <span className={styles["sub"]}>
        {[name.includes(study.patientID) ? "" : study.patientID, ...facts].filter(Boolean).join(" · ")}
      </span>
    </span>
  );
}

function StudyCell({ study }: { readonly study: Study }) {
  const { t } = useTranslation("worklist");
  const bodyPart = useBodyPart()(study.bodyPart);
  const day = formatDicomDay(study.studyDate);
  return (
    <span role="gridcell" className={styles["study"]}>
      <span className={styles["modalities"]}>
        {study.modalities.map((modality) => (
          <span key={modality} className={styles["modality"]}>
            {modality}
          </span>
        ))}
      </span>
      <span className={styles["lines"]}>
        <span className={styles["main"]}>{study.studyDescription || bodyPart || t("noDescription")}</span>
        <span className={styles["sub"]}>
          {[
            study.studyDescription && bodyPart,
            t("series", { count: study.numberOfSeries }),
            day && t("studyDate", { date: day }),
          ]
            .filter(Boolean)
            .join(" · ")}
        </span>
      </span>
    </span>
  );
}

function ImagesCell({ study }: { readonly study: Study }) {
  const { t } = useTranslation("worklist");
  const count = imageCount(study);
  const state = completeness(study);
  const share = progress(study);
  const Icon = COMPLETENESS_ICON[state];
  return (
    <span role="gridcell" className={styles["images"]}>
      <span className={styles["main"]}>
        {count.key === "images"
          ? t("images", { have: count.have, expected: count.expected })
          : t(count.key, { count: count.count })}
      </span>
      <span className={styles["state"]} data-state={state}>
        <Icon size={15} aria-hidden />
        {t(`state.${state}`)}
        {state !== "complete" ? (
          <progress
            className={styles["progress"]}
            max={1}
            {...(share === undefined ? {} : { value: share })}
            aria-hidden
          />
        ) : null}
      </span>
    </span>
  );
}

function ReceivedCell({ at, now, language }: { readonly at: string; readonly now: Date; readonly language: Language }) {
  const date = new Date(at);
  return (
    <span role="gridcell" className={styles["received"]}>
      <time dateTime={at} title={date.toLocaleString(language === "vi" ? "vi-VN" : "en-GB")}>
        <span className={styles["main"]}>{formatAgo(date, now, language)}</span>
        <span className={styles["sub"]}>{formatMoment(date, now, language)}</span>
      </time>
    </span>
  );
}
