// Pixels that wait for a person: what waits, one of it to look at, and what the last decision came to.

import { Alert, Button } from "@mantine/core";
import { IconChecks, IconEye, IconFrame } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { problemOf, type Result } from "../api/result";
import { reviewsQuery } from "../api/reviews";
import type { Decided, PixelReview } from "../api/types";
import { FailedNotice } from "../ui/FailedNotice";
import { useKeys } from "../ui/hotkeys";
import { KeyHelp } from "../ui/KeyHelp";
import { leave } from "../ui/leaving";
import { Notice } from "../ui/Notice";
import { Instance } from "./Instance";
import { Queue } from "./Queue";
import { beyond, keyOf } from "./queue";
import styles from "./Review.module.css";

export interface ReviewProps {
  readonly onBack: () => void;
  readonly onZones: () => void;
  readonly helpOpened: boolean;
  readonly onHelp: (opened: boolean) => void;
}

export function Review({ onBack, onZones, helpOpened, onHelp }: ReviewProps) {
  const { t } = useTranslation(["review", "zones", "common"]);
  const reviews = useQuery(reviewsQuery);
  const questions = useQueryClient();
  const [chosen, choose] = useState<string>();
  const [told, tell] = useState<{ readonly text: string; readonly bad: boolean }>();
  const waiting = reviews.data ?? [];
  const current = waiting.find((review) => keyOf(review) === chosen);

  const open = (review: PixelReview | undefined) => {
    choose(review && keyOf(review));
    tell(undefined);
  };
  const go = (review: PixelReview | undefined) => {
    if (review && review === current) tell(undefined);
    else leave(() => open(review));
  };
  const step = (by: number) => waiting.length > 0 && go(beyond(waiting, chosen, by));
  const decided = (review: PixelReview, how: "accepted" | "rejected", result: Result<Decided>) => {
    if (!result.ok && result.problem.kind !== "missing") {
      tell({ text: t("notDecided", { why: t(`common:problem.${result.problem.kind}`) }), bad: true });
      return;
    }
    const next = beyond(waiting, keyOf(review), 1);
    open(next === review ? undefined : next);
    tell(
      result.ok
        ? { text: t(how, { count: result.value.destinations }), bad: false }
        : { text: t("alreadyDecided"), bad: true },
    );
    questions.setQueryData(reviewsQuery.queryKey, (old) => old?.filter((one) => keyOf(one) !== keyOf(review)));
    void questions.invalidateQueries({ queryKey: reviewsQuery.queryKey });
  };

  useKeys({ j: () => step(1), k: () => step(-1), "?": () => onHelp(true) });

  return (
    <div className={styles["page"]} data-open={current !== undefined}>
      <section className={styles["side"]} aria-labelledby="review-title">
        <div className={styles["ways"]}>
          <Button variant="default" size="compact-sm" onClick={onBack}>
            {t("common:back")}
          </Button>
          <Button variant="subtle" size="compact-sm" leftSection={<IconFrame size={16} />} onClick={onZones}>
            {t("zones:open")}
          </Button>
        </div>
        <h1 id="review-title" className={styles["title"]}>
          {t("title")}
        </h1>
        {reviews.data ? <p className={styles["count"]}>{t("count", { count: waiting.length })}</p> : null}
        <p className={styles["hint"]}>{t("why")}</p>
        <Queue waiting={waiting} chosen={chosen} onOpen={go} />
      </section>
      <section className={styles["work"]} aria-label={t("decision")}>
        <div className={styles["told"]}>
          {told ? <Alert color={told.bad ? "red" : "blue"}>{told.text}</Alert> : null}
        </div>
        {current ? (
          <Instance
            key={keyOf(current)}
            review={current}
            onDecided={(how, result) => decided(current, how, result)}
            onNext={() => step(1)}
            onLeave={() => go(undefined)}
          />
        ) : (
          <Nothing
            waiting={reviews.data?.length}
            problem={reviews.error && !reviews.data ? problemOf(reviews.error).kind : undefined}
            onRetry={() => void reviews.refetch()}
          />
        )}
      </section>
      <KeyHelp opened={helpOpened} onClose={() => onHelp(false)} />
    </div>
  );
}

interface NothingProps {
  readonly waiting: number | undefined;
  readonly problem: ReturnType<typeof problemOf>["kind"] | undefined;
  readonly onRetry: () => void;
}

/** What stands where no instance is chosen. */
function Nothing({ waiting, problem, onRetry }: NothingProps) {
  const { t } = useTranslation(["review", "common"]);
  if (problem) {
    return (
      <FailedNotice title={t("failed")} onRetry={onRetry}>
        {t(`common:problem.${problem}`)}
      </FailedNotice>
    );
  }
  if (waiting === undefined) return <Notice icon={null} title={t("common:loading")} />;
  return waiting === 0 ? (
    <Notice icon={<IconChecks size={48} stroke={1.5} />} title={t("empty")}>
      {t("emptyHint")}
    </Notice>
  ) : (
    <Notice icon={<IconEye size={48} stroke={1.5} />} title={t("choose")}>
      {t("chooseHint")}
    </Notice>
  );
}
