// The list of studies: live, searchable, worked with the keyboard.

import { Alert, Button } from "@mantine/core";
import { IconCloudOff, IconInbox, IconPlugConnectedX, IconSearchOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { worklistQuery } from "../api/queries";
import { problemOf } from "../api/result";
import type { Study } from "../api/types";
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
import styles from "./Worklist.module.css";

export interface WorklistProps {
  readonly onOpen: (study: Study) => void;
  readonly helpOpened: boolean;
  readonly onHelp: (opened: boolean) => void;
}

export function Worklist({ onOpen, helpOpened, onHelp }: WorklistProps) {
  const { t } = useTranslation(["worklist", "common"]);
  const { narrowing } = useFilter();
  const now = useNow();
  const online = useOnline();
  const question = questionOf(narrowing, now);
  const query = useQuery(worklistQuery(question));
  const searchRef = useRef<HTMLInputElement>(null);
  const gridRef = useRef<HTMLDivElement>(null);
  const [listKey] = useState(() => ({ focus: () => gridRef.current?.focus() }));
  const problem = query.error ? problemOf(query.error) : undefined;
  const lost = !online || problem?.kind === "offline";

  useKeys({
    "/": () => searchRef.current?.focus(),
    "?": () => onHelp(true),
    ArrowDown: listKey.focus,
    ArrowUp: listKey.focus,
  });

  return (
    <div className={styles["page"]}>
      <FilterBar searchRef={searchRef} onLeave={listKey.focus} />
      {lost && query.data ? (
        <Alert className={styles["offline"] ?? ""} color="yellow" icon={<IconCloudOff />} role="alert">
          {t("common:offline")}
        </Alert>
      ) : null}
      <Summary worklist={query.data} live={!lost && !problem} updatedAt={query.dataUpdatedAt} now={now} />
      <LiveRegion worklist={query.isPlaceholderData ? undefined : query.data} question={JSON.stringify(question)} />
      <Body query={query} now={now} gridRef={gridRef} onOpen={onOpen} />
      <KeyHelp
        opened={helpOpened}
        onClose={() => onHelp(false)}
        title={t("keys.title")}
        groups={[
          {
            rows: [
              { keys: ["↑", "↓"], what: t("keys.move") },
              { keys: ["Home", "End"], what: t("keys.ends") },
              { keys: ["Enter"], what: t("keys.open") },
              { keys: ["/"], what: t("keys.search") },
              { keys: ["Esc"], what: t("keys.leave") },
              { keys: ["?"], what: t("keys.help") },
            ],
          },
        ]}
      />
    </div>
  );
}

interface BodyProps {
  readonly query: ReturnType<
    typeof useQuery<Awaited<ReturnType<NonNullable<ReturnType<typeof worklistQuery>["queryFn"]>>>>
  >;
  readonly now: Date;
  readonly gridRef: React.RefObject<HTMLDivElement | null>;
  readonly onOpen: (study: Study) => void;
}

function Body({ query, now, gridRef, onOpen }: BodyProps) {
  const { t } = useTranslation(["worklist", "common"]);
  const { narrowing, widen, more } = useFilter();
  if (query.data && query.data.studies.length > 0) {
    return (
      <List
        studies={query.data.studies}
        more={query.data.more}
        now={now}
        gridRef={gridRef}
        onOpen={onOpen}
        onMore={more}
      />
    );
  }
  if (query.data && isNarrow(narrowing)) {
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
  if (query.data) {
    return (
      <Notice icon={<IconInbox size={48} stroke={1.5} />} title={t("empty")}>
        {t("emptyHint")}
      </Notice>
    );
  }
  if (query.error) {
    return (
      <Notice
        urgent
        icon={<IconPlugConnectedX size={48} stroke={1.5} />}
        title={t("failed")}
        action={<Button onClick={() => query.refetch()}>{t("common:retry")}</Button>}
      >
        {t(`common:problem.${problemOf(query.error).kind}`)}
      </Notice>
    );
  }
  return <Skeleton />;
}
