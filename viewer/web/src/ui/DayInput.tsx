// A field for a day, in the room's own words: browsers show theirs in the language that they were installed in.

import { TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { tidyDay, typedDay } from "./day";
import { formatIsoDay } from "./format";

export interface DayInputProps {
  readonly label: string;
  /** ISO 8601, empty for none. */
  readonly value: string;
  readonly onDay: (iso: string) => void;
}

export function DayInput({ label, value, onDay }: DayInputProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(() => formatIsoDay(value));
  const take = (text: string) => {
    setTyped(text);
    const day = typedDay(text);
    if (day !== undefined) onDay(day.replace(/^(....)(..)(..)$/, "$1-$2-$3"));
  };
  return (
    <TextInput
      aria-label={label}
      placeholder={`${label}: ${t("dayForm")}`}
      inputMode="numeric"
      autoComplete="off"
      maxLength={20}
      value={typed}
      error={typedDay(typed) === undefined}
      onChange={(event) => take(event.currentTarget.value)}
      onBlur={() => setTyped(tidyDay(typed))}
    />
  );
}
