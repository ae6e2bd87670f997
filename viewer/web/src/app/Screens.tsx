// The screens behind the door. The reading page is a chunk of its own, fetched while the list is looked at.

import { Loader } from "@mantine/core";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Session } from "../api/types";
import { Worklist } from "../worklist/Worklist";
import { ErrorBoundary } from "./ErrorBoundary";
import { Header } from "./Header";
import { goTo, type Route } from "./route";
import styles from "./Screens.module.css";

const fetchReading = () => import("../reading/Reading");
const Reading = lazy(fetchReading);
/** The list comes first; the viewer follows when the line is free. */
const PREFETCH_AFTER_MS = 1_500;

export interface ScreensProps {
  readonly route: Route;
  readonly session: Session;
  readonly nodeName: string;
  readonly onSignOut: () => void;
  readonly onChangePassword: () => void;
}

export function Screens(props: ScreensProps) {
  const { route } = props;
  return route.screen === "reading" ? (
    <ErrorBoundary key={route.studyInstanceUid}>
      <Suspense fallback={<Waiting />}>
        <Reading
          study={{ studyInstanceUid: route.studyInstanceUid, site: route.site }}
          onBack={() => goTo({ screen: "worklist" })}
        />
      </Suspense>
    </ErrorBoundary>
  ) : (
    <WorklistScreen {...props} />
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

function WorklistScreen({ session, nodeName, onSignOut, onChangePassword }: ScreensProps) {
  const { t } = useTranslation();
  const [help, setHelp] = useState(false);

  useEffect(() => {
    const timer = setTimeout(() => void fetchReading().catch(() => undefined), PREFETCH_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);

  return (
    <div className={styles["screen"]}>
      <a className="va-skip" href="#list">
        {t("skip")}
      </a>
      <Header
        session={session}
        nodeName={nodeName}
        onSignOut={onSignOut}
        onChangePassword={onChangePassword}
        onHelp={() => setHelp(true)}
      />
      <main id="list" className={styles["main"]}>
        <Worklist
          helpOpened={help}
          onHelp={setHelp}
          onOpen={(study) => goTo({ screen: "reading", studyInstanceUid: study.studyInstanceUID, site: study.site })}
        />
      </main>
      <footer className={styles["footer"]}>{t("notDiagnostic")}</footer>
    </div>
  );
}
