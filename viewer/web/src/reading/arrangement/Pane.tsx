// One picture of a layout: its series, its notices, and, of another study, whose date it is.

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { seriesQuery, studyQuery } from "../../api/queries";
import type { Series } from "../../api/types";
import type { StackView } from "../../engine/stack/stackView";
import { formatDicomDay } from "../../ui/format";
import { isReport, ReportPage } from "../findings/ReportPage";
import { likely } from "../hanging/hang";
import { StageNotice } from "../ReadingNotices";
import { useStacks } from "../useStacks";
import { Viewport } from "../viewport/Viewport";
import styles from "./Panes.module.css";
import type { PaneChoice } from "./panes";

export interface PaneProps {
  readonly choice: PaneChoice;
  /** Of the study that is read; a prior asks for its own. */
  readonly series: readonly Series[];
  readonly arriving: boolean;
  /** Undefined: it is the only one. */
  readonly active: boolean | undefined;
  readonly onActivate: () => void;
  readonly onView: (view: StackView | undefined) => void;
  /** Drawn over the picture. */
  readonly children: ReactNode;
}

export function Pane({ choice, series, arriving, active, onActivate, onView, children }: PaneProps) {
  const listed = useQuery({ ...seriesQuery(choice.study), enabled: choice.isPrior });
  const [chosen, choose] = useState<string>();
  const all = choice.isPrior ? (listed.data ?? []) : series;
  const wanted = choice.isPrior ? chosen : choice.seriesInstanceUid;
  const one = all.find((candidate) => candidate.seriesInstanceUID === wanted) ?? likely(all, choice.words);
  const loaded = useStacks(choice.study, one);
  const stack = loaded.stacks.find((candidate) => candidate.id === choice.stackId) ?? loaded.stacks[0];
  return (
    <section className={styles["pane"]} data-active={active} onPointerDownCapture={onActivate}>
      {choice.isPrior ? <PriorBar choice={choice} series={all} chosen={one} onChoose={choose} /> : null}
      {one ? (
        <div className={styles["stage"]}>
          <Viewport series={one} stack={stack} arriving={arriving} preset={choice.preset} onView={onView} />
          {children}
          {isReport(one) && loaded.stacks.length === 0 ? (
            <ReportPage key={one.seriesInstanceUID} study={choice.study} series={one} />
          ) : (
            <StageNotice loaded={loaded} series={one} />
          )}
        </div>
      ) : null}
    </section>
  );
}

interface PriorBarProps {
  readonly choice: PaneChoice;
  readonly series: readonly Series[];
  readonly chosen: Series | undefined;
  readonly onChoose: (seriesInstanceUid: string) => void;
}

/** A picture of another day must never pass for one of today. */
function PriorBar({ choice, series, chosen, onChoose }: PriorBarProps) {
  const { t } = useTranslation("reading");
  const study = useQuery({ ...studyQuery(choice.study), refetchInterval: false }).data;
  return (
    <p className={styles["prior"]}>
      <b>{t("priorOf", { date: study ? formatDicomDay(study.studyDate) : "…" })}</b>
      <span>{study?.studyDescription}</span>
      <select
        aria-label={t("seriesList")}
        value={chosen?.seriesInstanceUID ?? ""}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {series.map((one) => (
          <option key={one.seriesInstanceUID} value={one.seriesInstanceUID}>
            {`${one.modality} ${one.description || (one.number === null ? "" : t("series", { number: one.number }))}`}
          </option>
        ))}
      </select>
    </p>
  );
}
