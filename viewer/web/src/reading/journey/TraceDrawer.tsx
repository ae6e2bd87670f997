// A study's journey as a line of dots with times.

import { Button, Drawer, Loader } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { type StudyKey, traceQuery } from "../../api/queries";
import { problemOf } from "../../api/result";
import { formatClock, formatDay } from "../../ui/format";
import { type Language, usePreferences } from "../../ui/preferences";
import { condense, type Dot } from "./condense";
import styles from "./TraceDrawer.module.css";

export interface TraceDrawerProps {
  readonly study: StudyKey;
  readonly traceId: string | undefined;
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function TraceDrawer({ study, traceId, opened, onClose }: TraceDrawerProps) {
  const { t } = useTranslation(["reading", "common"]);
  const query = useQuery(traceQuery(study, opened));
  const dots = condense(query.data ?? []);
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      title={t("trace")}
      position="right"
      size="md"
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ "aria-label": t("common:close") }}
    >
      <p className={styles["hint"]}>{t("traceHint")}</p>
      {query.isPending ? <Loader aria-label={t("common:loading")} /> : null}
      {query.error ? (
        <div role="alert">
          <p>{t(`common:problem.${problemOf(query.error).kind}`)}</p>
          <Button onClick={() => query.refetch()}>{t("common:retry")}</Button>
        </div>
      ) : null}
      {query.data && dots.length === 0 ? <p>{t("traceEmpty")}</p> : null}
      <ol className={styles["line"]}>
        {dots.map((dot, index) => (
          <DotLine key={dot.key} dot={dot} before={dots[index - 1]} />
        ))}
      </ol>
      {traceId ? (
        <p className={styles["hint"]}>
          {t("traceId")}: <code>{traceId}</code>
        </p>
      ) : null}
    </Drawer>
  );
}

function DotLine({ dot, before }: { readonly dot: Dot; readonly before: Dot | undefined }) {
  const { t, i18n } = useTranslation("reading");
  const language = usePreferences((preferences) => preferences.language);
  const newDay = before?.first.toDateString() !== dot.first.toDateString();
  const key = `event.${dot.name}`;
  return (
    <li className={styles["dot"]} data-bad={dot.bad}>
      {newDay ? <p className={styles["day"]}>{formatDay(dot.first)}</p> : null}
      <time className={styles["time"]} dateTime={dot.first.toISOString()}>
        {formatClock(dot.first, language, true)}
      </time>
      <span className={styles["what"]}>
        {dot.bad ? <IconAlertTriangle size={16} aria-hidden /> : null}
        {i18n.exists(`reading:${key}`) ? t(key as "event.InstanceReceived") : dot.name}
      </span>
      {dot.count > 1 ? <Span dot={dot} language={language} /> : null}
    </li>
  );
}

function Span({ dot, language }: { readonly dot: Dot; readonly language: Language }) {
  const { t } = useTranslation("reading");
  const from = formatClock(dot.first, language, true);
  const to = formatClock(dot.last, language, true);
  const times = t("traceRepeated", { count: dot.count });
  return <span className={styles["sub"]}>{from === to ? times : `${times}, ${t("traceSpan", { from, to })}`}</span>;
}
