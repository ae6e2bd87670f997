// The list of studies: live, searchable, worked with the keyboard.

import { Alert, Button } from "@mantine/core";
import { IconCloudOff, IconInbox, IconSearchOff } from "@tabler/icons-react";
import { type RefObject, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Study } from "../api/types";
import { FailedNotice } from "../ui/FailedNotice";
import { useKeys } from "../ui/hotkeys";
import { KeyHelp } from "../ui/KeyHelp";
import { Notice } from "../ui/Notice";
import { useNow } from "../ui/useNow";
import { useOnline } from "../ui/useOnline";
import { FilterBar } from "./FilterBar";
import { isNarrow, questionOf, useFilter } from "./filter";
import { List } from "./List";
import { LiveRegion } from "./LiveRegion";
import { Skeleton } from "./Skeleton";
import { Summary } from "./Summary";
import { type Listed, useWorklist } from "./useWorklist";
import styles from "./Worklist.module.css";

export interface WorklistProps {
  readonly onOpen: (study: Study) => void;
  readonly helpOpened: boolean;
  readonly onHelp: (opened: boolean) => void;
}

export function Worklist({ onOpen, helpOpened, onHelp }: WorklistProps) {
  const { t } = useTranslation();
  const { narrowing, pages } = useFilter();
  const now = useNow();
  const online = useOnline();
  const question = questionOf(narrowing, now);
  const listed = useWorklist(question, pages);
  const searchRef = useRef<HTMLInputElement>(null);
  const gridRef = useRef<HTMLDivElement>(null);
  const [listKey] = useState(() => ({ focus: () => gridRef.current?.focus() }));
  const lost = !online || listed.problem?.kind === "offline";

  useKeys({
    "/": () => searchRef.current?.focus(),
    "?": () => onHelp(true),
    ArrowDown: listKey.focus,
    ArrowUp: listKey.focus,
  });

  return (
    <div className={styles["page"]}>
      <FilterBar searchRef={searchRef} onLeave={listKey.focus} />
      {lost && listed.worklist ? (
        <Alert className={styles["offline"] ?? ""} color="yellow" icon={<IconCloudOff />} role="alert">
          {t("offline")}
        </Alert>
      ) : null}
      <Summary worklist={listed.worklist} live={!lost && !listed.problem} updatedAt={listed.updatedAt} now={now} />
      <LiveRegion worklist={listed.old ? undefined : listed.worklist} question={JSON.stringify(question)} />
      <Body listed={listed} now={now} gridRef={gridRef} onOpen={onOpen} />
      <KeyHelp opened={helpOpened} onClose={() => onHelp(false)} />
    </div>
  );
}

interface BodyProps {
  readonly listed: Listed;
  readonly now: Date;
  readonly gridRef: RefObject<HTMLDivElement | null>;
  readonly onOpen: (study: Study) => void;
}

function Body({ listed, now, gridRef, onOpen }: BodyProps) {
  const { t } = useTranslation(["worklist", "common"]);
  const { narrowing, widen, more } = useFilter();
  const { worklist, problem, retry } = listed;
  if (worklist && worklist.studies.length > 0) {
    return (
      <List studies={worklist.studies} more={worklist.more} now={now} gridRef={gridRef} onOpen={onOpen} onMore={more} />
    );
  }
  if (worklist && isNarrow(narrowing)) {
    return (
      <Notice
        icon={<IconSearchOff size={48} stroke={1.5} />}
        title={t("noMatch")}
        action={<Button onClick={widen}>{t("clearFilters")}</Button>}
      >
        {t("noMatchHint")}
      </Notice>
    );
  }
  if (worklist) {
    return (
      <Notice icon={<IconInbox size={48} stroke={1.5} />} title={t("empty")}>
        {t("emptyHint")}
      </Notice>
    );
  }
  if (problem) {
    return (
      <FailedNotice title={t("failed")} onRetry={retry}>
        {t(`common:problem.${problem.kind}`)}
      </FailedNotice>
    );
  }
  return <Skeleton />;
}
