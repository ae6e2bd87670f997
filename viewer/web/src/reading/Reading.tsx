// The reading page: one study, its series, its pictures.

import { Button, Loader } from "@mantine/core";
import { IconCloudOff, IconFileText, IconHourglass, IconPlugConnectedX, IconSearchOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { metadataQuery, seriesUrl } from "../api/dicomweb";
import { type StudyKey, seriesQuery, studyQuery } from "../api/queries";
import { problemOf } from "../api/result";
import type { Series } from "../api/types";
import { CINE_RATE_DEFAULT } from "../engine/cine";
import { presetsOf } from "../engine/presets";
import { bearerOf, type Stack, stacksOf } from "../engine/stacks";
import type { StackView } from "../engine/stackView";
import type { PrimaryTool } from "../engine/tools";
import { Notice } from "../ui/Notice";
import { useOnline } from "../ui/useOnline";
import { Banner } from "./Banner";
import styles from "./Reading.module.css";
import { ReadingKeys } from "./ReadingKeys";
import { SeriesStrip } from "./SeriesStrip";
import { Toolbar } from "./Toolbar";
import { TraceDrawer } from "./TraceDrawer";
import { useThrottled } from "./useThrottled";
import { Viewport } from "./Viewport";

export interface ReadingProps {
  readonly study: StudyKey;
  readonly onBack: () => void;
}

const NO_SERIES: readonly Series[] = [];
const NO_STACKS: readonly Stack[] = [];
const TOUCH = "(pointer: coarse)";

export default function Reading({ study, onBack }: ReadingProps) {
  const { t } = useTranslation(["reading", "common"]);
  const online = useOnline();
  const listed = useQuery(studyQuery(study)).data;
  const query = useQuery(seriesQuery(study));
  const series = query.data ?? NO_SERIES;
  const [chosenUid, choose] = useState<string>();
  const current = series.find((one) => one.seriesInstanceUID === chosenUid) ?? series[0];
  const loaded = useStacks(study, current);
  const [stackId, chooseStack] = useState<string>();
  const stack = loaded.stacks.find((one) => one.id === stackId) ?? loaded.stacks[0];
  const [view, setView] = useState<StackView>();
  const [tool, setTool] = useState<PrimaryTool>(() => (window.matchMedia(TOUCH).matches ? "scroll" : "windowLevel"));
  const [panel, setPanel] = useState<"help" | "trace">();
  const [rate, setRate] = useState(CINE_RATE_DEFAULT);
  const frame = stack?.frames[0];
  const presets = useMemo(() => presetsOf(current?.modality ?? "", frame?.rescale.type), [current, frame]);
  const arriving = listed ? listed.state === "receiving" : true;

  useEffect(() => view?.choose(tool), [view, tool]);
  useEffect(() => view?.setRate(rate), [view, rate]);
  useEffect(() => {
    if (frame) setRate(Math.round(frame.cineRate ?? CINE_RATE_DEFAULT));
  }, [frame]);

  return (
    <div className={styles["page"]}>
      <Banner
        study={listed}
        bearer={loaded.bearer}
        site={study.site}
        onBack={onBack}
        onTrace={() => setPanel("trace")}
        onHelp={() => setPanel("help")}
      />
      {online ? null : (
        <p className={styles["offline"]} role="alert">
          <IconCloudOff size={18} aria-hidden /> {t("common:offline")}
        </p>
      )}
      {current ? (
        <main className={styles["room"]}>
          <SeriesStrip
            study={study}
            series={series}
            chosen={current.seriesInstanceUID}
            onChoose={choose}
            stacks={loaded.stacks}
            stackId={stack?.id}
            onStack={chooseStack}
          />
          <div className={styles["work"]}>
            {view && stack ? (
              <Toolbar view={view} tool={tool} onTool={setTool} presets={presets} rate={rate} onRate={setRate} />
            ) : (
              <div className={styles["toolbarPlace"]} />
            )}
            <div className={styles["stage"]}>
              <Viewport series={current} stack={stack} arriving={arriving} onView={setView} />
              <StageNotice loaded={loaded} series={current} />
            </div>
          </div>
        </main>
      ) : (
        <NoSeries query={query} onBack={onBack} />
      )}
      <footer className={styles["footer"]}>{t("common:notDiagnostic")}</footer>
      <ReadingKeys
        view={view}
        presets={presets}
        series={series}
        current={current}
        onSeries={choose}
        onTool={setTool}
        onBack={onBack}
        onTrace={() => setPanel("trace")}
        helpOpened={panel === "help"}
        onHelp={(opened) => setPanel(opened ? "help" : undefined)}
      />
      <TraceDrawer
        study={study}
        traceId={listed?.traceId}
        opened={panel === "trace"}
        onClose={() => setPanel(undefined)}
      />
    </div>
  );
}

interface Loaded {
  readonly stacks: readonly Stack[];
  readonly bearer: ReturnType<typeof bearerOf>;
  readonly pending: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
}

/** Waits longer before asking again for a long series, so that a growing one does not fill the line. */
const METADATA_MS_PER_INSTANCE = 10;

function useStacks(study: StudyKey, series: Series | undefined): Loaded {
  const instances = useThrottled(
    series?.instances ?? 0,
    (series?.instances ?? 0) * METADATA_MS_PER_INSTANCE,
    series?.seriesInstanceUID ?? "",
  );
  const uid = series?.seriesInstanceUID ?? "";
  const query = useQuery({ ...metadataQuery(study, uid, instances), enabled: series !== undefined });
  const stacks = useMemo(
    () => (query.data ? stacksOf(query.data, seriesUrl(study, uid)) : NO_STACKS),
    [query.data, study, uid],
  );
  const bearer = useMemo(() => bearerOf(query.data ?? []), [query.data]);
  return { stacks, bearer, pending: query.isPending, error: query.error, retry: () => void query.refetch() };
}

function StageNotice({ loaded, series }: { readonly loaded: Loaded; readonly series: Series }) {
  const { t } = useTranslation(["reading", "common"]);
  if (loaded.stacks.length > 0) return null;
  if (loaded.error) {
    return (
      <div className={styles["cover"]}>
        <Notice
          urgent
          icon={<IconPlugConnectedX size={48} stroke={1.5} />}
          title={t("failedSeries")}
          action={<Button onClick={loaded.retry}>{t("common:retry")}</Button>}
        >
          {t(`common:problem.${problemOf(loaded.error).kind}`)}
        </Notice>
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

function NoSeries({ query, onBack }: NoSeriesProps) {
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
        <Notice
          urgent
          icon={<IconPlugConnectedX size={48} stroke={1.5} />}
          title={t(`common:problem.${problem.kind}`)}
          action={<Button onClick={() => query.refetch()}>{t("common:retry")}</Button>}
        />
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
