// Whether a state of a study is kept, by whom and since when; and the button that keeps it.

import { Button } from "@mantine/core";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { formatMoment } from "../../ui/format";
import { usePreferences } from "../../ui/preferences";
import { useOnline } from "../../ui/useOnline";
import { type Draft, drafts } from "../drafts/draft";
import styles from "../Panel.module.css";
import { useStore } from "../useStore";
import type { Keeping, Told } from "./keeping";

interface KeepingBarProps<State extends Told> {
  readonly keeping: Keeping<State>;
  readonly unsaved: boolean;
  readonly draft: Draft;
  readonly label: string;
}

/** Saving is a deed of its own: what is kept becomes part of the study. */
export function KeepingBar<State extends Told>({ keeping, unsaved, draft, label }: KeepingBarProps<State>) {
  const { t } = useTranslation(["findings", "common"]);
  const language = usePreferences((preferences) => preferences.language);
  const { problem, saving, author, at } = useStore(keeping.state, (value) => value);
  const isDraftKept = useStore(drafts, () => draft.state.kept === "node");
  const online = useOnline();
  useEffect(() => (online ? keeping.lineIsBack() : undefined), [online, keeping]);
  const when = at ? formatMoment(new Date(at), new Date(), language) : "";
  return (
    <div className={styles["keeping"]}>
      {problem ? (
        <p className={styles["problem"]} role="alert">
          {problem === "changed" ? t("findings:changed") : t(`common:problem.${problem}`)}
          {problem === "changed" ? (
            <Button size="compact-sm" variant="default" onClick={() => void keeping.open()}>
              {t("findings:openAgain")}
            </Button>
          ) : null}
        </p>
      ) : null}
      <Button fullWidth size="sm" disabled={!unsaved} loading={saving} onClick={() => void keeping.save()}>
        {label}
      </Button>
      <p className={styles["state"]} role="status">
        {unsaved
          ? [t("findings:unsaved"), isDraftKept ? t("findings:draft.kept") : ""].filter(Boolean).join(", ")
          : author
            ? t("findings:savedBy", { author, when })
            : ""}
      </p>
    </div>
  );
}
