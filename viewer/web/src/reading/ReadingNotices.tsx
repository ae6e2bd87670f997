// What is said in the place of pictures: on their way, none, not found, or what went wrong.

import { Button, Loader } from "@mantine/core";
import { IconFileText, IconHourglass, IconSearchOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { problemOf } from "../api/result";
import type { Series } from "../api/types";
import { FailedNotice } from "../ui/FailedNotice";
import { Notice } from "../ui/Notice";
import styles from "./Reading.module.css";
import type { Loaded } from "./useStacks";

export function StageNotice({ loaded, series }: { readonly loaded: Loaded; readonly series: Series }) {
  const { t } = useTranslation(["reading", "common"]);
  if (loaded.stacks.length > 0) return null;
  if (loaded.error) {
    return (
      <div className={styles["cover"]}>
        <FailedNotice title={t("failedSeries")} onRetry={loaded.retry}>
          {t(`common:problem.${problemOf(loaded.error).kind}`)}
        </FailedNotice>
      </div>
    );
  }
  if (loaded.pending) {
    return (
      <div className={styles["cover"]} role="status">
        <Loader /> {t("loadingSeries")}
      </div>
    );
  }
  return (
    <div className={styles["cover"]}>
      <Notice icon={<IconFileText size={48} stroke={1.5} />} title={t("noImages")}>
        {t("noImagesHint", { modality: series.modality })}
      </Notice>
    </div>
  );
}

interface NoSeriesProps {
  readonly query: { readonly isPending: boolean; readonly error: Error | null; readonly refetch: () => unknown };
  readonly onBack: () => void;
}

export function NoSeries({ query, onBack }: NoSeriesProps) {
  const { t } = useTranslation(["reading", "common"]);
  if (query.isPending) {
    return (
      <main className={styles["empty"]} role="status">
        <Loader aria-label={t("common:loading")} />
      </main>
    );
  }
  const problem = query.error ? problemOf(query.error) : undefined;
  if (problem?.kind === "missing" || problem?.kind === "denied") {
    return (
      <main className={styles["empty"]}>
        <Notice
          urgent
          icon={<IconSearchOff size={48} stroke={1.5} />}
          title={t("notFound")}
          action={<Button onClick={onBack}>{t("common:back")}</Button>}
        >
          {t("notFoundHint")}
        </Notice>
      </main>
    );
  }
  if (problem) {
    return (
      <main className={styles["empty"]}>
        <FailedNotice title={t(`common:problem.${problem.kind}`)} onRetry={() => void query.refetch()} />
      </main>
    );
  }
  return (
    <main className={styles["empty"]}>
      <Notice icon={<IconHourglass size={48} stroke={1.5} />} title={t("emptyStudy")}>
        {t("emptyStudyHint")}
      </Notice>
    </main>
  );
}
