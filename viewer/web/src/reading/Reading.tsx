// The reading page: one study, its series, its pictures.

import { IconCloudOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { type StudyKey, seriesQuery, studyQuery } from "../api/queries";
import type { Series } from "../api/types";
import { CINE_RATE_DEFAULT } from "../engine/cine";
import { presetsOf } from "../engine/presets";
import type { StackView } from "../engine/stackView";
import type { PrimaryTool } from "../engine/tools";
import { useOnline } from "../ui/useOnline";
import { Banner } from "./Banner";
import styles from "./Reading.module.css";
import { ReadingKeys } from "./ReadingKeys";
import { NoSeries, StageNotice } from "./ReadingNotices";
import { SeriesStrip } from "./SeriesStrip";
import { Toolbar } from "./Toolbar";
import { TraceDrawer } from "./TraceDrawer";
import { useStacks } from "./useStacks";
import { Viewport } from "./Viewport";

export interface ReadingProps {
  readonly study: StudyKey;
  readonly onBack: () => void;
}

const NO_SERIES: readonly Series[] = [];
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
