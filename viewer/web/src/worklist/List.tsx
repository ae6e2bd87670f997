// The rows, only those on screen, with the keyboard on one of them.

import { Button } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type FocusEvent, type KeyboardEvent, type RefObject, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Study } from "../api/types";
import { useMeant } from "../ui/keyScope";
import { useFilter } from "./filter";
import styles from "./List.module.css";
import { Row, rowId } from "./Row";
import { keyOf } from "./studyText";

const ROW_PX = 63;
const CARD_PX = 176;
const ROWS_BEYOND = 8;
const PHONE = "(max-width: 720px)";
const COLUMNS = ["priority", "patient", "study", "images", "received", "site"] as const;

export interface ListProps {
  readonly studies: readonly Study[];
  readonly more: boolean;
  readonly now: Date;
  readonly gridRef: RefObject<HTMLDivElement | null>;
  readonly onOpen: (study: Study) => void;
  readonly onMore: () => void;
}

export function List({ studies, more, now, gridRef, onOpen, onMore }: ListProps) {
  const { t } = useTranslation("worklist");
  const scrollRef = useRef<HTMLDivElement>(null);
  const { chosen, choose } = useFilter();
  const meant = useMeant();
  const virtualizer = useVirtualizer({
    count: studies.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => (window.matchMedia(PHONE).matches ? CARD_PX : ROW_PX),
    getItemKey: (index) => (studies[index] ? keyOf(studies[index]) : index),
    overscan: ROWS_BEYOND,
  });
  const chosenIndex = studies.findIndex((study) => keyOf(study) === chosen);

  const move = (index: number) => {
    const target = Math.min(Math.max(index, 0), studies.length - 1);
    const study = studies[target];
    if (!study) return;
    choose(keyOf(study));
    virtualizer.scrollToIndex(target);
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => move(chosenIndex + 1),
    ArrowUp: () => move(chosenIndex - 1),
    PageDown: () => move(chosenIndex + 8),
    PageUp: () => move(chosenIndex - 8),
    Home: () => move(0),
    End: () => move(studies.length - 1),
    Enter: () => studies[chosenIndex] && onOpen(studies[chosenIndex]),
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const action = keys[meant(event)];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };

  // Who comes by the keyboard begins at the first row; under a finger or a mouse the list must not move.
  const onFocus = (event: FocusEvent<HTMLElement>) => {
    if (chosenIndex < 0 && event.currentTarget.matches(":focus-visible")) move(0);
  };

  return (
    <div ref={scrollRef} className={styles["scroll"]}>
      <div
        ref={gridRef}
        role="grid"
        tabIndex={0}
        className={styles["grid"]}
        aria-label={t("title")}
        aria-rowcount={studies.length + 1}
        aria-activedescendant={chosenIndex >= 0 ? rowId(chosenIndex) : undefined}
        onKeyDown={onKeyDown}
        onFocus={onFocus}
      >
        <div role="row" aria-rowindex={1} className={styles["head"]}>
          {COLUMNS.map((column) => (
            <span key={column} role="columnheader" data-column={column}>
              {t(`column.${column}`)}
            </span>
          ))}
        </div>
        <div role="presentation" className={styles["rows"]} style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map((item) => {
            const study = studies[item.index];
            if (!study) return null;
            return (
              <div
                key={item.key}
                ref={virtualizer.measureElement}
                data-index={item.index}
                role="presentation"
                className={styles["place"]}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <Row
                  study={study}
                  index={item.index}
                  now={now}
                  chosen={item.index === chosenIndex}
                  onOpen={() => onOpen(study)}
                />
              </div>
            );
          })}
        </div>
      </div>
      {more ? (
        <div className={styles["more"]}>
          <Button variant="default" onClick={onMore}>
            {t("more")}
          </Button>
        </div>
      ) : null}
    </div>
  );
}
