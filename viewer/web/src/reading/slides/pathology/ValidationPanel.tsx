// A reader's validation record: what it comes to, the cases on it, and another one to put there.

import { Button, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { validationQuery } from "../../../api/pathology";
import { problemOf } from "../../../api/result";
import type { ReaderValidation } from "../../../api/types";
import { formatIsoDay, formatNumber } from "../../../ui/format";
import { usePreferences } from "../../../ui/preferences";
import { NewCase } from "./NewCase";
import { SidePanel } from "./SidePanel";
import styles from "./Validation.module.css";

const DAY_MS = 86_400_000;

export function ValidationPanel({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation(["pathology", "common"]);
  const query = useQuery(validationQuery);
  const record = query.data;
  return (
    <SidePanel title={t("validation")} onClose={onClose}>
      {query.isPending ? <Loader aria-label={t("common:loading")} /> : null}
      {query.error && !record ? (
        <p className={styles["problem"]} role="alert">
          {t(`common:problem.${problemOf(query.error).kind}`)}{" "}
          <Button size="compact-sm" variant="default" onClick={() => void query.refetch()}>
            {t("common:retry")}
          </Button>
        </p>
      ) : null}
      {record ? (
        <>
          <Standing record={record} />
          <NewCase />
          <Cases record={record} />
        </>
      ) : null}
    </SidePanel>
  );
}

function Standing({ record }: { readonly record: ReaderValidation }) {
  const { t } = useTranslation("pathology");
  const language = usePreferences((preferences) => preferences.language);
  const { standing, counted, casesWanted, concordance, concordanceWanted, washoutDays } = record;
  const percent = (share: number) => formatNumber(share * 100, language);
  return (
    <div className={styles["standing"]} role="status">
      <p className={styles["strong"]}>{t(standing === "none" ? "noneWhy" : standing)}</p>
      <progress
        className={styles["progress"]}
        value={counted}
        max={casesWanted}
        aria-label={t("counted", { counted, wanted: casesWanted })}
      />
      <p>{t("counted", { counted, wanted: casesWanted })}</p>
      {concordance === null ? null : (
        <p>{t("concordance", { share: percent(concordance), wanted: percent(concordanceWanted) })}</p>
      )}
      <p className={styles["note"]}>{t("washout", { days: washoutDays })}</p>
    </div>
  );
}

/** Days between two days. */
function apart(one: string, other: string): number {
  return Math.abs(Date.parse(one) - Date.parse(other)) / DAY_MS;
}

function Cases({ record }: { readonly record: ReaderValidation }) {
  const { t } = useTranslation("pathology");
  const { cases, washoutDays } = record;
  if (cases.length === 0) return null;
  return (
    <section aria-label={t("cases")}>
      <h3 className={styles["title"]}>{t("cases")}</h3>
      <ol className={styles["cases"]}>
        {cases.toReversed().map((one) => (
          <li key={one.number} data-concordant={one.isConcordant}>
            <b>{one.number}</b> {t(one.isConcordant ? "isConcordantYes" : "isConcordantNo")}
            {apart(one.glassOn, one.digitalOn) < washoutDays ? ` · ${t("tooSoon")}` : ""}
            <dl>
              <dt>{t("glass")}</dt>
              <dd>
                {one.glassDiagnosis} <time dateTime={one.glassOn}>({formatIsoDay(one.glassOn)})</time>
              </dd>
              <dt>{t("digital")}</dt>
              <dd>
                {one.digitalDiagnosis} <time dateTime={one.digitalOn}>({formatIsoDay(one.digitalOn)})</time>
              </dd>
            </dl>
          </li>
        ))}
      </ol>
    </section>
  );
}
