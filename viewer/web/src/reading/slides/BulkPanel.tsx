// The groups of bulk annotations on a slide: each on or off, and what the one is that was pointed at.

import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { StudyKey } from "../../api/queries";
import { figuresQuery } from "../../api/slides";
import type { BulkFigure, BulkGroup } from "../../api/types";
import { formatNumber } from "../../ui/format";
import { usePreferences } from "../../ui/preferences";
import styles from "./BulkPanel.module.css";
import { type Bulk, colorOf } from "./useBulk";

export function BulkPanel({ study, bulk }: { readonly study: StudyKey; readonly bulk: Bulk }) {
  const { t } = useTranslation(["slides", "common"]);
  const language = usePreferences((preferences) => preferences.language);
  const { groups, hit } = bulk;
  const pointed = hit && groups[hit.group];
  const shapes = groups.reduce((sum, { count }) => sum + count, 0);
  return (
    <aside className={styles["panel"]} aria-label={t("bulk.title")}>
      <h2 className={styles["title"]}>{t("bulk.title")}</h2>
      {groups.length === 0 ? <p className={styles["note"]}>{t("bulk.none")}</p> : null}
      {groups.length > 0 ? (
        <p className={styles["note"]}>
          {t("bulk.total", { count: shapes, shapes: formatNumber(shapes, language) })}
          {groups.every((group) => bulk.isOn(group)) ? "" : ` ${t("bulk.off")}`}
        </p>
      ) : null}
      <ul className={styles["list"]}>
        {groups.map((group, index) => (
          <li key={group.id} data-pointed={group === pointed}>
            <label className={styles["group"]}>
              <input type="checkbox" checked={bulk.isOn(group)} onChange={() => bulk.toggle(group)} />
              <span>
                {group.label || group.type || t("bulk.group", { number: index + 1 })}
                <small>
                  {[group.label ? group.type : "", formatNumber(group.count, language)].filter(Boolean).join(" · ")}
                </small>
              </span>
            </label>
            <span className={styles["color"]} style={{ background: colorOf(index) }} aria-hidden />
          </li>
        ))}
      </ul>
      <p className={styles["pointed"]} role="status">
        {pointed ? <Pointed group={pointed} number={hit.number} /> : t("bulk.point")}
      </p>
      {hit?.number !== undefined && pointed?.measured ? (
        <Figures study={study} group={pointed} number={hit.number} />
      ) : null}
      {bulk.unread > 0 ? <p className={styles["note"]}>{t("bulk.unread", { count: bulk.unread })}</p> : null}
      {bulk.failed ? (
        <p className={styles["note"]} role="alert">
          {t("bulk.failed")}{" "}
          <Button size="compact-xs" variant="default" onClick={bulk.retry}>
            {t("common:retry")}
          </Button>
        </p>
      ) : null}
    </aside>
  );
}

/** What it is, and who says so. */
function Pointed({ group, number }: { readonly group: BulkGroup; readonly number: number | undefined }) {
  const { t } = useTranslation("slides");
  const language = usePreferences((preferences) => preferences.language);
  const what = [group.category, group.type].filter(Boolean).join(": ");
  const which = number === undefined ? t("bulk.several") : t("bulk.number", { number: formatNumber(number, language) });
  return (
    <>
      <b>{group.label || what}</b> {which}
      <br />
      {[group.label ? what : "", group.algorithm].filter(Boolean).join(" · ")}
    </>
  );
}

interface FiguresProps {
  readonly study: StudyKey;
  readonly group: BulkGroup;
  readonly number: number;
}

/** What it was measured to be, by whoever annotated. */
function Figures({ study, group, number }: FiguresProps) {
  const { t } = useTranslation("slides");
  const language = usePreferences((preferences) => preferences.language);
  const figures = useQuery(figuresQuery(study, group, number)).data;
  const nameOf = ({ code, name }: BulkFigure) => {
    const known = KNOWN.find((one) => one === code);
    return known ? t(`bulk.measured.${known}`) : name || t("bulk.measured.other");
  };
  return (
    <dl className={styles["figures"]} aria-label={t("bulk.measured.title")}>
      {figures?.map((figure, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a group's figures keep their order, and names may repeat
        <div key={index}>
          <dt>{nameOf(figure)}</dt>
          <dd>
            {formatNumber(figure.value, language, decimalsOf(figure.value))} {UNITS[figure.unit] ?? figure.unit}
          </dd>
        </div>
      ))}
      {figures?.length === 0 ? <p className={styles["none"]}>{t("bulk.measured.none")}</p> : null}
    </dl>
  );
}

/** Codes (SCT) that have words here: area, length, perimeter, diameter, long and short axis. */
const KNOWN = ["42798000", "410668003", "131191004", "81827009", "103339001", "103340004"] as const;
/** UCUM as one reads it. */
const UNITS: Readonly<Record<string, string>> = {
  um: "µm",
  um2: "µm²",
  mm2: "mm²",
  um3: "µm³",
  "1": "",
  "{ratio}": "",
};

/** Three figures that count. */
function decimalsOf(value: number): number {
  return Math.min(Math.max(2 - Math.floor(Math.log10(Math.abs(value) || 1)), 0), 4);
}
