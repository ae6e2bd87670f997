// Search box and filters above the list.

import { ActionIcon, Button, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch, IconX } from "@tabler/icons-react";
import { type RefObject, useState } from "react";
import { useTranslation } from "react-i18next";
import { DayInput } from "../ui/DayInput";
import { useKeyLabel } from "../ui/keyScope";
import styles from "./FilterBar.module.css";
import { isNarrow, MODALITIES, PERIODS, type Period, useFilter } from "./filter";

const TYPING_MS = 250;

export interface FilterBarProps {
  readonly searchRef: RefObject<HTMLInputElement | null>;
  /** Leave the search box for the list. */
  readonly onLeave: () => void;
}

export function FilterBar({ searchRef, onLeave }: FilterBarProps) {
  const { t } = useTranslation("worklist");
  const written = useKeyLabel();
  const { narrowing, narrow, widen } = useFilter();
  const [typed, setTyped] = useState(narrowing.text);
  const search = useDebouncedCallback((text: string) => narrow({ text }), TYPING_MS);

  const type = (text: string) => {
    setTyped(text);
    search(text);
  };
  const clear = () => {
    setTyped("");
    narrow({ text: "" });
  };

  return (
    <search className={styles["bar"]}>
      <TextInput
        ref={searchRef}
        className={styles["search"] ?? ""}
        aria-label={t("search")}
        placeholder={t("search")}
        title={t("searchHint", { key: written("/") })}
        leftSection={<IconSearch size={18} aria-hidden />}
        rightSection={
          typed ? (
            <ActionIcon variant="subtle" aria-label={t("clearSearch")} onClick={clear}>
              <IconX size={16} />
            </ActionIcon>
          ) : (
            <kbd className={styles["slash"]} aria-hidden>
              {written("/")}
            </kbd>
          )
        }
        value={typed}
        maxLength={200}
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") clear();
          if (event.key === "Escape" || event.key === "ArrowDown" || event.key === "Enter") onLeave();
        }}
      />
      <NativeSelect
        aria-label={t("modality")}
        value={narrowing.modality}
        onChange={(event) => narrow({ modality: event.currentTarget.value })}
        data={[
          { value: "", label: t("anyModality") },
          ...MODALITIES.map((modality) => ({ value: modality, label: t(`modalityName.${modality}`) })),
        ]}
      />
      <NativeSelect
        aria-label={t("period")}
        value={narrowing.period}
        onChange={(event) => narrow({ period: event.currentTarget.value as Period })}
        data={PERIODS.map((period) => ({ value: period, label: t(`periodName.${period}`) }))}
      />
      {narrowing.period === "custom" ? (
        <>
          <DayInput label={t("from")} value={narrowing.from} onDay={(from) => narrow({ from })} />
          <DayInput label={t("to")} value={narrowing.to} onDay={(to) => narrow({ to })} />
        </>
      ) : null}
      {isNarrow(narrowing) ? (
        <Button
          variant="subtle"
          onClick={() => {
            setTyped("");
            widen();
          }}
        >
          {t("clearFilters")}
        </Button>
      ) : null}
    </search>
  );
}
