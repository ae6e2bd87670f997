// A structured report as a page: what each item is called and what it says, indented as it lies in the document.

import { Loader, NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { StudyKey } from "../../api/queries";
import { reportQuery, reportsQuery } from "../../api/reports";
import type { ReportContent, Series } from "../../api/types";
import { FailedNotice } from "../../ui/FailedNotice";
import { formatMoment } from "../../ui/format";
import { usePreferences } from "../../ui/preferences";
import styles from "./ReportPage.module.css";

export interface ReportPageProps {
  readonly study: StudyKey;
  readonly series: Series;
}

/** Whether a series holds documents rather than pictures. */
export function isReport(series: Series): boolean {
  return series.modality === "SR" || series.modality === "KO";
}

export function ReportPage({ study, series }: ReportPageProps) {
  const { t } = useTranslation("findings");
  const [chosen, choose] = useState("");
  const listed = useQuery(reportsQuery(study, series.seriesInstanceUID, series.instances));
  const uids = listed.data ?? [];
  const uid = uids.includes(chosen) ? chosen : (uids[0] ?? "");
  const report = useQuery(reportQuery(study, series.seriesInstanceUID, uid));
  if (listed.error || report.error) {
    const again = () => void (listed.error ? listed.refetch() : report.refetch());
    return <FailedNotice title={t("report.title")} onRetry={again} />;
  }
  return (
    <article className={styles["page"]} aria-label={t("report.title")}>
      {uids.length > 1 ? (
        <NativeSelect
          size="xs"
          aria-label={t("report.versions")}
          value={uid}
          data={uids.map((value, index) => ({ value, label: t("report.version", { number: uids.length - index }) }))}
          onChange={(event) => choose(event.currentTarget.value)}
        />
      ) : null}
      {report.data ? <Content report={report.data} /> : <Loader size="sm" />}
    </article>
  );
}

function Content({ report }: { readonly report: ReportContent }) {
  const { t } = useTranslation("findings");
  const language = usePreferences((preferences) => preferences.language);
  const when = report.at ? formatMoment(new Date(report.at), new Date(), language) : "";
  return (
    <>
      <h2>{report.title}</h2>
      <p className={styles["state"]}>
        {report.author ? `${t("report.by", { author: report.author, when })} · ` : ""}
        {report.verified ? t("report.verified") : t("report.unverified")}
        {report.complete ? "" : ` · ${t("report.partial")}`}
      </p>
      <ul className={styles["lines"]}>
        {report.lines.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a document's lines never change
          <li key={index} style={{ paddingInlineStart: `${line.depth * 16}px` }} data-kind={line.kind}>
            {line.name ? <span className={styles["name"]}>{line.name}</span> : null} {line.text}
          </li>
        ))}
      </ul>
      {report.whole ? null : <p role="status">{t("report.cut")}</p>}
    </>
  );
}
