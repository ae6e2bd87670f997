// What is drawn on a slide, as a list: how many, how large, and words for each.

import { ActionIcon, TextInput, Tooltip } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Mark } from "../../engine/slides/marks";
import { KeepingBar } from "../findings/KeepingBar";
import { useStore } from "../useStore";
import styles from "./MarkPanel.module.css";
import { useMeasureText } from "./useMarkLayer";
import type { Bench } from "./useSlideView";
import type { SlideWork } from "./useSlideWork";

/** A mark's text is one line. */
const TEXT_MAX = 256;

export interface MarkPanelProps {
  readonly bench: Bench;
  readonly work: SlideWork;
}

export function MarkPanel({ bench, work }: MarkPanelProps) {
  const { t } = useTranslation("slides");
  const { marks, view } = bench;
  const list = useStore(marks.list, (value) => value);
  const selected = useStore(marks.selected, (value) => value);
  const measure = useMeasureText(view.slide);
  const counted = list.filter(({ kind }) => kind === "point").length;
  return (
    <aside className={styles["panel"]} aria-label={t("marks")}>
      <h2 className={styles["title"]}>
        {t("marks")}
        <span className={styles["count"]} role="status">
          {t("counted", { count: counted })}
        </span>
      </h2>
      {list.length === 0 ? <p className={styles["empty"]}>{t("noMarks")}</p> : null}
      <ol className={styles["list"]}>
        {list.map((mark, index) => (
          <Row
            key={mark.uid}
            bench={bench}
            mark={mark}
            ordinal={list.slice(0, index + 1).filter(({ kind }) => kind === mark.kind).length}
            measured={measure(mark)}
            selected={mark.uid === selected}
          />
        ))}
      </ol>
      <Kept marks={work.marks} unsaved={work.unsaved} />
    </aside>
  );
}

/** Saving is a deed of its own: what is kept becomes part of the study. */
function Kept({ marks, unsaved }: Pick<SlideWork, "marks" | "unsaved">) {
  const { t } = useTranslation("slides");
  if (!marks) return null;
  const { keeping, draft } = marks;
  if (!keeping) return <p className={styles["empty"]}>{t("notKept")}</p>;
  return <KeepingBar keeping={keeping} unsaved={unsaved} draft={draft} label={t("saveMarks")} />;
}

interface RowProps {
  readonly bench: Bench;
  readonly mark: Mark;
  readonly ordinal: number;
  readonly measured: string;
  readonly selected: boolean;
}

function Row({ bench, mark, ordinal, measured, selected }: RowProps) {
  const { t } = useTranslation("slides");
  const { marks, view } = bench;
  const row = useRef<HTMLLIElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const wantsWords = selected && mark.kind === "text" && mark.text === "";
  useEffect(() => {
    if (selected) row.current?.scrollIntoView({ block: "nearest" });
    if (wantsWords) field.current?.focus();
  }, [selected, wantsWords]);
  const name = `${t(`mark.${mark.kind}`)} ${ordinal}`;
  const go = () => {
    marks.select(mark.uid);
    const [first] = mark.points;
    if (first) view.goTo(first);
  };
  return (
    <li ref={row} className={styles["row"]} data-selected={selected}>
      <button type="button" className={styles["name"]} onClick={go}>
        <b>{name}</b> {measured}
      </button>
      <Tooltip label={t("removeMark")}>
        <ActionIcon variant="subtle" aria-label={`${t("removeMark")}: ${name}`} onClick={() => marks.remove(mark.uid)}>
          <IconTrash size={16} />
        </ActionIcon>
      </Tooltip>
      <TextInput
        ref={field}
        className={styles["words"] ?? ""}
        size="xs"
        maxLength={TEXT_MAX}
        value={mark.text}
        placeholder={t("words")}
        aria-label={`${t("words")}: ${name}`}
        onFocus={() => marks.select(mark.uid)}
        onChange={(event) => marks.write(mark.uid, event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
        }}
      />
    </li>
  );
}
