// What is on file about displays: the checks of one, and those that are in use no more.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { checksQuery, retiredQuery } from "../api/displays";
import type { DisplayItem } from "../api/types";
import { formatIsoDay } from "../ui/format";
import styles from "./DisplayPage.module.css";

/** Nothing while there is no check. */
export function History({ display }: { readonly display: string }) {
  const { t } = useTranslation("display");
  const checks = useQuery(checksQuery(display)).data ?? [];
  if (checks.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a table wider than the window is scrolled by keys
    <section className={styles["history"]} tabIndex={0} aria-label={t("history")}>
      <table>
        <thead>
          <tr>
            {(["on", "result", "by", "nextDue", "recordedBy", "note"] as const).map((column) => (
              <th key={column} scope="col">
                {t(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {checks.map((check) => (
            <tr key={check.recordedAt} data-result={check.result}>
              <td>{formatIsoDay(check.on)}</td>
              <td>{t(check.result === "failed" ? "failedCheck" : "passed")}</td>
              <td>{check.by}</td>
              <td>{formatIsoDay(check.nextDue)}</td>
              <td>{check.recordedBy}</td>
              <td>{check.note}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const DAY_LENGTH = 10;

/** Nothing where no display was retired. */
export function Retired() {
  const { t } = useTranslation("display");
  const displays = useQuery(retiredQuery).data ?? [];
  if (displays.length === 0) return null;
  return (
    <div className={styles["card"]}>
      <h2>{t("retired")}</h2>
      {displays.map((display) => (
        <RetiredDisplay key={display.id} display={display} />
      ))}
    </div>
  );
}

function RetiredDisplay({ display: { id, name, place, retiredAt } }: { readonly display: DisplayItem }) {
  const { t } = useTranslation("display");
  const [opened, setOpened] = useState(false);
  const day = formatIsoDay(retiredAt?.slice(0, DAY_LENGTH) ?? "");
  return (
    <details onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>{[place, name, t("retiredOn", { day })].filter(Boolean).join(" · ")}</summary>
      {opened ? <History display={id} /> : null}
    </details>
  );
}
