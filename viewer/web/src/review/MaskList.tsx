// The masks as numbers: every edge can be typed, every mask removed.

import { ActionIcon, Button } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import type { Dispatch } from "react";
import { useTranslation } from "react-i18next";
import type { Box } from "../api/types";
import { BOXES_MAX, type Change, type Masks, middleBox, type Size, withEdge } from "./boxes";
import styles from "./MaskList.module.css";

const EDGES = ["top", "left", "bottom", "right"] as const;

export interface MaskListProps {
  readonly masks: Masks;
  readonly size: Size;
  readonly proposed: readonly Box[];
  readonly change: Dispatch<Change>;
}

export function MaskList({ masks, size, proposed, change }: MaskListProps) {
  const { t } = useTranslation("review");
  const isFull = masks.list.length >= BOXES_MAX;
  return (
    <section className={styles["masks"]} aria-labelledby="masks-title">
      <div className={styles["head"]}>
        <h3 id="masks-title" className={styles["title"]}>
          {t("masks")}
        </h3>
        <Button
          variant="default"
          size="compact-sm"
          leftSection={<IconPlus size={16} />}
          disabled={isFull}
          onClick={() => change({ kind: "add", box: middleBox(size) })}
        >
          {t("addMask")}
        </Button>
        <Button variant="default" size="compact-sm" onClick={() => change({ kind: "restart", boxes: proposed })}>
          {t("asProposed")}
        </Button>
      </div>
      {isFull ? <p role="status">{t("full", { count: BOXES_MAX })}</p> : null}
      {masks.list.length === 0 ? <p className={styles["none"]}>{t("noMasks")}</p> : null}
      <ol className={styles["list"]}>
        {masks.list.map(({ id, box }, index) => (
          <li key={id} className={styles["mask"]} data-chosen={id === masks.chosen}>
            <span className={styles["name"]}>{t("mask", { number: index + 1 })}</span>
            {EDGES.map((edge, at) => (
              <label key={edge}>
                <span>{t(`edge.${edge}`)}</span>
                <input
                  type="number"
                  aria-label={t("edgeOf", { number: index + 1, edge: t(`edge.${edge}`) })}
                  key={box[at]}
                  defaultValue={box[at]}
                  min={0}
                  max={at % 2 === 0 ? size.rows : size.columns}
                  onFocus={() => change({ kind: "choose", id })}
                  onBlur={(event) => {
                    const value = Number(event.currentTarget.value);
                    if (value !== box[at]) change({ kind: "put", id, box: withEdge(box, at, value, size) });
                  }}
                  onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
                />
              </label>
            ))}
            <ActionIcon
              variant="subtle"
              aria-label={t("removeMask", { number: index + 1 })}
              onClick={() => change({ kind: "remove", id })}
            >
              <IconX size={18} />
            </ActionIcon>
          </li>
        ))}
      </ol>
    </section>
  );
}
