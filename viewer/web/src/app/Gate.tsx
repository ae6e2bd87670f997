// Who is at the door: nobody yet, somebody with a one-time password, or somebody who may go in.

import { Loader } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { forgetAnswers, setCsrf } from "../api/client";
import { forgetDraftKeys } from "../api/drafts";
import { nodeQuery, sessionQuery } from "../api/queries";
import { problemOf } from "../api/result";
import { signOut } from "../api/session";
import type { Session } from "../api/types";
import { ChangePassword } from "../signin/ChangePassword";
import { OpenLink } from "../signin/OpenLink";
import { SignIn } from "../signin/SignIn";
import { FailedNotice } from "../ui/FailedNotice";
import { LeaveQuestion } from "../ui/LeaveQuestion";
import { leave, stay } from "../ui/leaving";
import { closeThere } from "./imagesWindow";
import { linkSecret } from "./launch";
import { goTo } from "./route";
import { Screens, type ScreensProps } from "./Screens";
import styles from "./Screens.module.css";
import { useSignedOut } from "./useSignedOut";

export function Gate({ route }: { readonly route: ScreensProps["route"] }) {
  const { t } = useTranslation();
  const questions = useQueryClient();
  const session = useQuery(sessionQuery);
  const node = useQuery(nodeQuery);
  const [changing, setChanging] = useState(false);
  const wasIn = useRef(false);
  const hasLeft = useRef(false);

  useEffect(() => {
    setCsrf(session.data?.csrf ?? "");
    if (session.data) {
      wasIn.current = true;
      hasLeft.current = false;
    }
  }, [session.data]);

  const enter = (entered: Session) => {
    setCsrf(entered.csrf);
    setChanging(false);
    questions.setQueryData(sessionQuery.queryKey, entered);
  };
  const forget = () => {
    forgetAnswers();
    stay();
    forgetDraftKeys();
    closeThere();
    questions.setQueryData(sessionQuery.queryKey, null);
    questions.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" && query.queryKey[0] !== "node" });
  };
  const end = async () => {
    hasLeft.current = true;
    await signOut();
    setChanging(false);
    forget();
  };
  useSignedOut(forget);

  const nodeName = node.data?.name ?? "";
  if (session.isPending) {
    return (
      <div className={styles["waiting"]} role="status" aria-label={t("loading")}>
        <Loader />
      </div>
    );
  }
  if (session.error) {
    return (
      <FailedNotice title={t(`problem.${problemOf(session.error).kind}`)} onRetry={() => void session.refetch()} />
    );
  }
  if (route.screen === "shared" && (linkSecret() || !session.data?.study)) {
    const opened = (guest: Session) => {
      forget();
      enter(guest);
      if (guest.study) {
        const { site, studyInstanceUID } = guest.study;
        goTo({ screen: "reading", studyInstanceUid: studyInstanceUID, site }, "instead");
      }
    };
    return <OpenLink nodeName={nodeName} link={linkSecret()} onOpened={opened} />;
  }
  if (!session.data) {
    return <SignIn nodeName={nodeName} expired={wasIn.current && !hasLeft.current} onSignedIn={enter} />;
  }
  if (session.data.mustChange || changing) {
    return (
      <ChangePassword
        nodeName={nodeName}
        session={session.data}
        onChanged={enter}
        onLeave={() => (session.data?.mustChange ? end() : setChanging(false))}
      />
    );
  }
  return (
    <>
      <Screens
        route={route}
        session={session.data}
        nodeName={nodeName}
        onSignOut={() => leave(() => void end())}
        onChangePassword={() => leave(() => setChanging(true))}
      />
      <LeaveQuestion />
    </>
  );
}
