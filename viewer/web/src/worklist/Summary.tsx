// One line over the list: how many, how urgent, how fresh.

import { IconBolt, IconDownload } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Worklist } from "../api/types";
import { formatAgo } from "../ui/format";
import { usePreferences } from "../ui/preferences";
import styles from "./Summary.module.css";

export interface SummaryProps {
  readonly worklist: Worklist | undefined;
  readonly live: boolean;
  readonly updatedAt: number;
  readonly now: Date;
}

export function Summary({ worklist, live, updatedAt, now }: SummaryProps) {
  const { t } = useTranslation("worklist");
  const language = usePreferences((preferences) => preferences.language);
  const studies = worklist?.studies ?? [];
  const stat = studies.filter((study) => study.priority === "stat").length;
  const receiving = studies.filter((study) => study.state === "receiving").length;
  return (
    <div className={styles["summary"]}>
      <h1 className={styles["title"]}>{t("title")}</h1>
      {worklist ? (
        <>
          <span>{t(worklist.more ? "countMore" : "count", { count: studies.length })}</span>
          {stat > 0 ? (
            <span className={styles["stat"]}>
              <IconBolt size={15} aria-hidden /> {t("statCount", { count: stat })}
            </span>
          ) : null}
          {receiving > 0 ? (
            <span>
              <IconDownload size={15} aria-hidden /> {t("receivingCount", { count: receiving })}
            </span>
          ) : null}
        </>
      ) : null}
      <span className={styles["fresh"]} data-live={live}>
        {live || updatedAt === 0 ? t("live") : t("updated", { when: formatAgo(new Date(updatedAt), now, language) })}
      </span>
    </div>
  );
}
