// Where devices write: each device with its zones, one of them to draw, and what the last change came to.

import { Alert, Button } from "@mantine/core";
import { IconFrame } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { problemOf, type Result } from "../api/result";
import type { PixelZone } from "../api/types";
import { removeZone, saveZone, zonesQuery } from "../api/zones";
import { FailedNotice } from "../ui/FailedNotice";
import { leave } from "../ui/leaving";
import { Notice } from "../ui/Notice";
import styles from "./Review.module.css";
import { ZoneEditor } from "./ZoneEditor";
import { ZoneList } from "./ZoneList";
import { drawnOf, keyOfZone } from "./zones";

export function Zones({ onBack }: { readonly onBack: () => void }) {
  const { t } = useTranslation(["zones", "common"]);
  const questions = useQueryClient();
  const zones = useQuery(zonesQuery);
  const [chosen, choose] = useState<string>();
  const [told, tell] = useState<{ readonly text: string; readonly bad: boolean }>();
  const all = zones.data ?? [];
  const current = all.find((zone) => keyOfZone(zone) === chosen);

  const open = (zone: PixelZone | undefined) => {
    if (zone && zone === current) return;
    leave(() => {
      choose(zone && keyOfZone(zone));
      tell(undefined);
    });
  };
  const done = async (zone: PixelZone, how: "saved" | "removed", result: Result<undefined>) => {
    if (!result.ok) {
      tell({ text: t("notDone", { why: t(`common:problem.${result.problem.kind}`) }), bad: true });
      return;
    }
    await questions.invalidateQueries({ queryKey: zonesQuery.queryKey });
    const now = drawnOf(questions.getQueryData(zonesQuery.queryKey) ?? [], zone);
    choose(how === "saved" && now ? keyOfZone(now) : undefined);
    tell({ text: t(how), bad: false });
  };

  return (
    <div className={styles["page"]} data-open={current !== undefined}>
      <section className={styles["side"]} aria-labelledby="zones-title">
        <Button variant="default" size="compact-sm" onClick={onBack}>
          {t("common:back")}
        </Button>
        <h1 id="zones-title" className={styles["title"]}>
          {t("title")}
        </h1>
        <p className={styles["hint"]}>{t("why")}</p>
        <ZoneList zones={all} chosen={chosen} onOpen={open} />
      </section>
      <section className={styles["work"]} aria-label={t("work")}>
        <div className={styles["told"]}>
          {told ? <Alert color={told.bad ? "red" : "blue"}>{told.text}</Alert> : null}
        </div>
        {current ? (
          <ZoneEditor
            key={`${keyOfZone(current)} ${current.boxes.join(" ")}`}
            zone={current}
            onSave={async (boxes) => done(current, "saved", await saveZone(current, boxes))}
            onRemove={async () => done(current, "removed", await removeZone(current))}
            onLeave={() => open(undefined)}
          />
        ) : (
          <Nothing
            count={zones.data?.length}
            problem={zones.error && !zones.data ? problemOf(zones.error).kind : undefined}
            onRetry={() => void zones.refetch()}
          />
        )}
      </section>
    </div>
  );
}

interface NothingProps {
  readonly count: number | undefined;
  readonly problem: ReturnType<typeof problemOf>["kind"] | undefined;
  readonly onRetry: () => void;
}

/** What stands where no device is chosen. */
function Nothing({ count, problem, onRetry }: NothingProps) {
  const { t } = useTranslation(["zones", "common"]);
  if (problem) {
    return (
      <FailedNotice title={t("failed")} onRetry={onRetry}>
        {t(`common:problem.${problem}`)}
      </FailedNotice>
    );
  }
  if (count === undefined) return <Notice icon={null} title={t("common:loading")} />;
  const icon = <IconFrame size={48} stroke={1.5} />;
  return count === 0 ? (
    <Notice icon={icon} title={t("empty")}>
      {t("emptyHint")}
    </Notice>
  ) : (
    <Notice icon={icon} title={t("choose")}>
      {t("chooseHint")}
    </Notice>
  );
}
