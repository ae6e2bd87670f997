// What was measured in the study, as a list; where each is; and whether it is kept.

import { IconTrash } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { KeyImage } from "../../api/types";
import type { BookMark } from "../../engine/marks/markBook";
import { IconButton } from "../../ui/IconButton";
import { usePreferences } from "../../ui/preferences";
import { useStore } from "../useStore";
import styles from "./FindingsPanel.module.css";
import { figureWords } from "./figureWords";
import { KeepingBar } from "./KeepingBar";
import { KeyImages } from "./KeyImages";
import type { KeysOfStudy } from "./studyKeys";
import type { MarksOfStudy } from "./studyMarks";

export interface FindingsPanelProps {
  readonly marks: MarksOfStudy;
  readonly keys: KeysOfStudy;
  readonly onGo: (image: KeyImage) => void;
  /** What comes last: what is not theirs to change. */
  readonly children: ReactNode;
}

export function FindingsPanel({ marks, keys, onGo, children }: FindingsPanelProps) {
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
      <KeepingBar keeping={marks.keeping} unsaved={unsaved} draft={marks.draft} label={t("saveMarks")} />
      <KeyImages study={marks.study} keys={keys} onGo={onGo} />
      {children}
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
