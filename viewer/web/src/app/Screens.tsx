// The screens behind the door. The reading page and the review are chunks of their own; the first is
// fetched while the list is looked at.

import { Loader } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { askAhead } from "../api/opening";
import { nodeQuery, type StudyKey } from "../api/queries";
import { reviewsQuery } from "../api/reviews";
import type { Session } from "../api/types";
import { DisplayStanding } from "../display/DisplayStanding";
import { KeyScope } from "../ui/keyScope";
import type { KeyRoom } from "../ui/keyTable";
import { Worklist } from "../worklist/Worklist";
import { nextCase, stepCase } from "./cases";
import { ErrorBoundary } from "./ErrorBoundary";
import { Header } from "./Header";
import { closeHere, hearThere, isImages, showThere, stepThere, useImagesWindow } from "./imagesWindow";
import { LaunchScreen } from "./LaunchScreen";
import { goTo, type Route } from "./route";
import styles from "./Screens.module.css";
import { useKeptPreferences } from "./useKeptPreferences";

const fetchReading = () => import("../reading/Reading");
const Reading = lazy(fetchReading);
const prefetch = async () => {
  const { warm, fetchSlideRoom } = await fetchReading();
  warm();
  await fetchSlideRoom();
};
const Upload = lazy(async () => ({ default: (await import("../upload/Upload")).Upload }));
const DisplayPage = lazy(() => import("../display/DisplayPage"));
const Review = lazy(async () => ({ default: (await import("../review/Review")).Review }));
const Zones = lazy(async () => ({ default: (await import("../review/Zones")).Zones }));
/** The list comes first; the viewer follows when the line is free. */
const PREFETCH_AFTER_MS = 1_500;
const UPLOADERS: ReadonlySet<string> = new Set(["admin", "requester"]);

export interface ScreensProps {
  readonly route: Exclude<Route, { screen: "missing" }>;
  readonly session: Session;
  readonly nodeName: string;
  readonly onSignOut: () => void;
  readonly onChangePassword: () => void;
}

export function Screens(props: ScreensProps) {
  const { route, session } = props;
  const questions = useQueryClient();
  useKeptPreferences();
  useEffect(
    () =>
      hearThere(show, (from, by) => {
        const next = nextCase(questions, from, by);
        if (next) void showThere(next);
      }),
    [questions],
  );
  if (session.study) {
    // A guest is in one study, wherever the address leads.
    const { site, studyInstanceUID } = session.study;
    const study = { studyInstanceUid: studyInstanceUID, site };
    return <ReadingScreen study={study} onBack={props.onSignOut} onStep={() => undefined} />;
  }
  switch (route.screen) {
    case "reading": {
      const study = { studyInstanceUid: route.studyInstanceUid, site: route.site };
      if (isImages()) {
        return <ReadingScreen study={study} onBack={closeHere} onStep={(by) => stepThere(study, by)} />;
      }
      const step = (by: number) => stepCase(questions, study, by);
      return <ReadingScreen study={study} onBack={() => goTo({ screen: "worklist" })} onStep={step} />;
    }
    case "reviews":
      return <ReviewScreen {...props} />;
    case "zones":
      return (
        <UnderHeader {...props} keys="review" onHelp={undefined}>
          <ErrorBoundary>
            <Suspense fallback={<Waiting />}>
              <Zones onBack={() => goTo({ screen: "reviews" })} />
            </Suspense>
          </ErrorBoundary>
        </UnderHeader>
      );
    case "upload":
      return <UploadScreen {...props} />;
    case "display":
      return (
        <UnderHeader {...props} onHelp={undefined}>
          <ErrorBoundary>
            <Suspense fallback={<Waiting />}>
              <DisplayPage onBack={() => goTo({ screen: "worklist" })} />
            </Suspense>
          </ErrorBoundary>
        </UnderHeader>
      );
    case "launch":
      return (
        <UnderHeader {...props} onHelp={undefined}>
          <LaunchScreen />
        </UnderHeader>
      );
    case "shared":
    case "worklist":
      return <WorklistScreen {...props} />;
  }
}

function show({ studyInstanceUid, site }: StudyKey): void {
  goTo({ screen: "reading", studyInstanceUid, site }, "instead");
}

interface ReadingScreenProps {
  readonly study: StudyKey;
  readonly onBack: () => void;
  readonly onStep: (by: number) => void;
}

function ReadingScreen(props: ReadingScreenProps) {
  const { studyInstanceUid, site } = props.study;
  return <OpenedStudy key={`${studyInstanceUid} ${site ?? ""}`} {...props} />;
}

function OpenedStudy({ study, onBack, onStep }: ReadingScreenProps) {
  const questions = useQueryClient();
  // Before the page is drawn, not when it is.
  useState(() => void askAhead(questions, study));
  return (
    <ErrorBoundary>
      <Suspense fallback={<Waiting />}>
        <Reading study={study} standing={<DisplayStanding />} onBack={onBack} onStep={onStep} onShow={show} />
      </Suspense>
    </ErrorBoundary>
  );
}

function Waiting() {
  const { t } = useTranslation();
  return (
    <div className={styles["waiting"]} role="status" aria-label={t("loading")}>
      <Loader />
    </div>
  );
}

function WorklistScreen(props: ScreensProps) {
  const [help, setHelp] = useState(false);
  const there = useImagesWindow(({ wanted }) => wanted);
  const open = (study: StudyKey) => (there ? void showThere(study) : goTo({ screen: "reading", ...study }));

  useEffect(() => {
    const timer = setTimeout(() => void prefetch().catch(() => undefined), PREFETCH_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);

  return (
    <UnderHeader {...props} keys="worklist" onHelp={() => setHelp(true)}>
      <Worklist
        helpOpened={help}
        onHelp={setHelp}
        onOpen={(study) => open({ studyInstanceUid: study.studyInstanceUID, site: study.site })}
      />
    </UnderHeader>
  );
}

function ReviewScreen(props: ScreensProps) {
  const [help, setHelp] = useState(false);
  return (
    <UnderHeader {...props} keys="review" onHelp={() => setHelp(true)}>
      <ErrorBoundary>
        <Suspense fallback={<Waiting />}>
          <Review
            helpOpened={help}
            onHelp={setHelp}
            onBack={() => goTo({ screen: "worklist" })}
            onZones={() => goTo({ screen: "zones" })}
          />
        </Suspense>
      </ErrorBoundary>
    </UnderHeader>
  );
}

function UploadScreen(props: ScreensProps) {
  return (
    <UnderHeader {...props} onHelp={undefined}>
      <ErrorBoundary>
        <Suspense fallback={<Waiting />}>
          <Upload
            onBack={() => goTo({ screen: "worklist" })}
            onOpen={(studyInstanceUid) => goTo({ screen: "reading", studyInstanceUid, site: undefined })}
          />
        </Suspense>
      </ErrorBoundary>
    </UnderHeader>
  );
}

interface UnderHeaderProps extends ScreensProps {
  /** None: the screen has no keys of its own. */
  readonly onHelp: (() => void) | undefined;
  /** Whose keys the screen has; none: no keys. */
  readonly keys?: KeyRoom;
  readonly children: ReactNode;
}

/** A screen of lists: the bar above it, and below it what this program is not. */
function UnderHeader({ keys, ...screen }: UnderHeaderProps) {
  return (
    <KeyScope value={keys ?? ""}>
      <Bars {...screen} />
    </KeyScope>
  );
}

function Bars({ session, nodeName, onSignOut, onChangePassword, onHelp, children }: Omit<UnderHeaderProps, "keys">) {
  const { t } = useTranslation();
  const blocked = useImagesWindow((there) => there.blocked);
  const decides = session.roles.includes("admin");
  const reviews = useQuery({ ...reviewsQuery, enabled: decides });
  const node = useQuery(nodeQuery);
  const uploads = session.roles.some((role) => UPLOADERS.has(role)) && node.data && node.data.role !== "hub";
  return (
    <div className={styles["screen"]}>
      <a className="va-skip" href="#list">
        {t("skip")}
      </a>
      <Header
        session={session}
        nodeName={nodeName}
        waiting={decides ? reviews.data?.length : undefined}
        onReviews={() => goTo({ screen: "reviews" })}
        onUpload={uploads ? () => goTo({ screen: "upload" }) : undefined}
        onSignOut={onSignOut}
        onChangePassword={onChangePassword}
        onDisplay={() => goTo({ screen: "display" })}
        onHelp={onHelp}
      />
      {blocked ? (
        <p className={styles["blocked"]} role="alert">
          {t("imagesWindow.blocked")}
        </p>
      ) : null}
      <main id="list" className={styles["main"]}>
        {children}
      </main>
      <footer className={styles["footer"]}>
        {t("notDiagnostic")} <DisplayStanding />
      </footer>
    </div>
  );
}
