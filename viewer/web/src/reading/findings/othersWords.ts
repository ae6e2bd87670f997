// What a mark of another document says: its name, its numbers with short units, who drew it and when.

import type { useTranslation } from "react-i18next";
import type { OthersMark, OthersMarksDocument } from "../../api/types";
import { formatDicomDay, formatMoment, formatNumber } from "../../ui/format";
import type { Language } from "../../ui/preferences";

type Translate = ReturnType<typeof useTranslation<"findings">>["t"];

/** UCUM codes as readers write them. */
const UNITS: Readonly<Record<string, string>> = {
  mm2: "mm²",
  mm3: "mm³",
  cm2: "cm²",
  cm3: "cm³",
  deg: "°",
  "[hnsf'U]": "HU",
  "{pixels}": "px",
  "{square_pixels}": "px²",
  "g/ml{SUVbw}": "SUVbw",
};
/** Numbers that are written beside a mark; the report itself has all. */
const AMOUNTS_SHOWN = 4;

function amountWords({ value, unit }: OthersMark["amounts"][number], language: Language): string {
  const digits = Math.abs(value) >= 1 || value === 0 ? 1 : 3;
  const said = UNITS[unit] ?? unit;
  return `${formatNumber(value, language, digits)}${said === "°" ? "" : " "}${said}`.trim();
}

/** The lines that are written beside a mark. */
export function saidOf(mark: OthersMark, t: Translate, language: Language): readonly string[] {
  const name = mark.kind ? t(`kind.${mark.kind}`) : mark.name;
  const [only, ...more] = mark.amounts;
  if (!only) return [[name, mark.text].filter(Boolean).join(": ")];
  if (more.length === 0) return [`${name} ${amountWords(only, language)}`.trim(), mark.text];
  const amounts = mark.amounts.slice(0, AMOUNTS_SHOWN).map((one) => `${one.name} ${amountWords(one, language)}`);
  return [name, ...amounts, mark.text];
}

/** Who drew it, and when. */
export function saidBy({ author, at, day }: OthersMarksDocument, language: Language): string {
  const when = at ? formatMoment(new Date(at), new Date(), language) : formatDicomDay(day);
  return [author, when].filter(Boolean).join(" · ");
}
