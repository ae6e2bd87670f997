// What was measured in the study, as a list; where each is; and whether it is kept.

import { Button } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { BookMark } from "../../engine/markBook";
import { formatMoment } from "../../ui/format";
import { IconButton } from "../../ui/IconButton";
import { usePreferences } from "../../ui/preferences";
import { useStore } from "../useStore";
import styles from "./FindingsPanel.module.css";
import { figureWords } from "./figureWords";
import type { Keeping, Told } from "./keeping";
import type { MarksOfStudy } from "./studyMarks";

export interface FindingsPanelProps {
  readonly marks: MarksOfStudy;
  readonly onGo: (mark: BookMark) => void;
}

export function FindingsPanel({ marks, onGo }: FindingsPanelProps) {
  const { t } = useTranslation("findings");
  const list = useStore(marks.book.list, (value) => value);
  const unsaved = useStore(marks.unsaved, (value) => value);
  return (
    <aside className={styles["panel"]} aria-label={t("title")}>
      <h2 className={styles["title"]}>
        {t("marks")}
        <span className={styles["count"]} role="status">
          {list.length}
        </span>
      </h2>
      {list.length === 0 ? <p className={styles["empty"]}>{t("noMarks")}</p> : null}
      <ol className={styles["list"]}>
        {list.map((mark) => (
          <Row key={mark.uid} mark={mark} onGo={() => onGo(mark)} onRemove={() => marks.book.remove(mark.uid)} />
        ))}
      </ol>
      <KeepingBar keeping={marks.keeping} unsaved={unsaved} label={t("saveMarks")} />
    </aside>
  );
}

interface RowProps {
  readonly mark: BookMark;
  readonly onGo: () => void;
  readonly onRemove: () => void;
}

function Row({ mark, onGo, onRemove }: RowProps) {
  const { t } = useTranslation(["findings", "reading"]);
  const language = usePreferences((preferences) => preferences.language);
  return (
    <li className={styles["row"]}>
      <button type="button" className={styles["name"]} onClick={onGo}>
        <span className={styles["kind"]}>{t(`findings:kind.${mark.kind}`)}</span> {figureWords(mark, t, language)}
      </button>
      <IconButton label={t("findings:removeMark")} icon={<IconTrash size={16} aria-hidden />} onClick={onRemove} />
    </li>
  );
}

interface KeepingBarProps<State extends Told> {
  readonly keeping: Keeping<State>;
  readonly unsaved: boolean;
  readonly label: string;
}

/** Saving is a deed of its own: what is kept becomes part of the study. */
function KeepingBar<State extends Told>({ keeping, unsaved, label }: KeepingBarProps<State>) {
  const { t } = useTranslation(["findings", "common"]);
  const language = usePreferences((preferences) => preferences.language);
  const { problem, saving, author, at } = useStore(keeping.state, (value) => value);
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
        {unsaved ? t("findings:unsaved") : author ? t("findings:savedBy", { author, when }) : ""}
      </p>
    </div>
  );
}
