// The reading page: one study, its series, and the room for the kind of the one that is chosen.

import { Loader } from "@mantine/core";
import { IconCloudOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { isSlide, openingSeries } from "../api/opening";
import { type StudyKey, seriesQuery, studyQuery } from "../api/queries";
import { problemOf } from "../api/result";
import type { Series } from "../api/types";
import { KeyScope } from "../ui/keyScope";
import { hold, leave } from "../ui/leaving";
import { useOnline } from "../ui/useOnline";
import { Banner } from "./Banner";
import { Bar } from "./Bar";
import { isSecond, openSecond, tell } from "./beside/pair";
import { SecondBar } from "./beside/SecondBar";
import { useSecond } from "./beside/useSecond";
import { DraftBar, DraftPlace } from "./drafts/DraftBar";
import { useFindings } from "./findings/useFindings";
import { TraceDrawer } from "./journey/TraceDrawer";
import styles from "./Reading.module.css";
import { NoSeries } from "./ReadingNotices";
import { SeriesStrip } from "./SeriesStrip";
import { StackRoom } from "./StackRoom";
import { FORM, SLIDES, shownSeries, useSlideBearer } from "./slides/series";
import { stackNamed } from "./stepSeries";
import { useStacks } from "./useStacks";

export interface ReadingProps {
  readonly study: StudyKey;
  /** Whether the display was checked, in words. */
  readonly standing: ReactNode;
  readonly onBack: () => void;
  /** Go to the case so many places further in the list. */
  readonly onStep: (by: number) => void;
  /** Go to another study, as the room says to its second window. */
  readonly onShow: (study: StudyKey) => void;
}

const NO_SERIES: readonly Series[] = [];

export { startCornerstone as warm } from "../engine/stack/cornerstone";
export const fetchSlideRoom = () => import("./slides/SlideRoom");
const SlideRoom = lazy(async () => ({ default: (await fetchSlideRoom()).SlideRoom }));

export default function Reading({ study, standing, onShow, ...ways }: ReadingProps) {
  const { t } = useTranslation(["reading", "common"]);
  const connected = useOnline();
  const listed = useQuery(studyQuery(study)).data;
  const query = useQuery(seriesQuery(study));
  const series = useMemo(() => shownSeries(query.data ?? NO_SERIES), [query.data]);
  // A line may be there and lead nowhere: the question that is asked all the time tells.
  const online = connected && !(query.error && problemOf(query.error).kind === "offline");
  const [chosenUid, choose] = useState<string>();
  const current = series.find((one) => one.seriesInstanceUID === chosenUid) ?? openingSeries(series);
  const slide = current && isSlide(current) ? current : undefined;
  const loaded = useStacks(study, slide ? undefined : current);
  const slideBearer = useSlideBearer(study, slide);
  const [stackId, chooseStack] = useState<string>();
  const stack = stackNamed(loaded.stacks, stackId);
  // What was asked for stays, also when more comes behind it.
  if (stack && stackId !== undefined && stackId !== stack.id) chooseStack(stack.id);
  const [panel, setPanel] = useState<"help" | "trace">();
  const findings = useFindings();
  // Whoever comes next is not asked about it: a session may end without a word.
  useEffect(() => () => hold(FORM, undefined), []);
  const onStack = (id: string | undefined, uid = current?.seriesInstanceUID) => {
    const go = () => {
      choose(uid);
      chooseStack(id);
    };
    if (uid === current?.seriesInstanceUID) go();
    else leave(go, [SLIDES]);
  };
  const onSeries = (uid: string) => (uid === current?.seriesInstanceUID ? undefined : onStack(undefined, uid));
  // A second window has no list to go back to: it closes, and has the room go on.
  const onBack = isSecond() ? () => window.close() : ways.onBack;
  const onStep = isSecond() ? (by: number) => tell({ kind: "step", by }) : ways.onStep;
  useSecond({ study, onSeries, onShow, onStep });
  const room = {
    study,
    series,
    onSeries,
    onBack,
    onCase: onStep,
    onTrace: () => setPanel("trace"),
    onSecond: () => (isSecond() ? undefined : void openSecond(study, current?.seriesInstanceUID)),
    helpOpened: panel === "help",
    onHelp: (opened: boolean) => setPanel(opened ? "help" : undefined),
  };

  return (
    <KeyScope value={slide ? "slides" : "images"}>
      <div className={styles["page"]}>
        <Banner
          studyKey={study}
          study={listed}
          bearer={slide ? slideBearer : loaded.bearer}
          onBack={onBack}
          onSecond={isSecond() ? undefined : room.onSecond}
          onTrace={room.onTrace}
          onHelp={() => setPanel("help")}
        />
        {online ? null : (
          <Bar icon={<IconCloudOff size={18} aria-hidden />} role="alert">
            <span>
              {t("offline")} <DraftPlace />
            </span>
          </Bar>
        )}
        <DraftBar />
        <SecondBar />
        {current ? (
          <main className={styles["room"]}>
            <SeriesStrip
              study={study}
              series={series}
              chosen={current.seriesInstanceUID}
              onChoose={onSeries}
              stacks={loaded.stacks}
              stackId={stack?.id}
              onStack={onStack}
            />
            {slide ? (
              <Suspense fallback={<Loader className={styles["waiting"] ?? ""} aria-label={t("common:loading")} />}>
                <SlideRoom {...room} current={slide} />
              </Suspense>
            ) : (
              <StackRoom
                {...room}
                current={current}
                findings={findings}
                stacks={loaded.stacks}
                stack={stack}
                onStack={onStack}
                arriving={listed?.state !== "complete"}
              />
            )}
          </main>
        ) : (
          <NoSeries query={query} onBack={onBack} />
        )}
        <footer className={styles["footer"]}>
          {t("common:notDiagnostic")} {standing}
        </footer>
        <TraceDrawer
          study={study}
          traceId={listed?.traceId}
          opened={panel === "trace"}
          onClose={() => setPanel(undefined)}
        />
      </div>
    </KeyScope>
  );
}
