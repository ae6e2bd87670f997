// An instance's DICOM JSON (PS3.18 F) as the rows of a table: one for each attribute, sequences nested. Pure.

import { isDataSet, type JsonDataSet } from "../../engine/frames/dicomJson";
import { folded } from "../../ui/folded";

export interface Known {
  readonly name: string;
  readonly keyword: string;
  /** PS3.15 Table E.1-1 has a rule for it. */
  readonly profiled: boolean;
}

export interface AttributeRow {
  /** Names the row: the tags and item numbers above it and its own. */
  readonly path: string;
  /** How many sequences it is in. */
  readonly depth: number;
  /** As the standard writes it: (0010,0010); of an item, its number. */
  readonly tag: string;
  readonly vr: string;
  readonly name: string;
  readonly value: string;
  readonly profiled: boolean;
  /** What is looked for. */
  readonly text: string;
}

const ROWS_MAX = 5_000;
const DEPTH_MAX = 12;
const CHARACTERS_MAX = 300;
const VALUES_MAX = 64;

function shown(value: unknown): string {
  if (isDataSet(value))
    return Object.values(value)
      .filter((part) => typeof part === "string")
      .join("=");
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function clipped(text: string): string {
  return text.length > CHARACTERS_MAX ? `${text.slice(0, CHARACTERS_MAX)}…` : text;
}

type Element = JsonDataSet[string];

/** The values, never bulk: of bytes it is told that there are some. */
function valuesOf({ Value, InlineBinary, BulkDataURI }: Element): string {
  if (BulkDataURI !== undefined) return "…";
  if (InlineBinary !== undefined) return `${Math.floor((InlineBinary.length * 3) / 4)} B`;
  const values = Value ?? [];
  const some = values.slice(0, VALUES_MAX).map(shown).join("\\");
  return clipped(values.length > VALUES_MAX ? `${some}\\…` : some);
}

/** The rows of an instance, in order of tags, five thousand at most. */
export function rowsOf(instance: unknown, known: ReadonlyMap<string, Known>): readonly AttributeRow[] {
  const rows: AttributeRow[] = [];
  const put = (row: AttributeRow) => rows.length < ROWS_MAX && rows.push(row);
  const walk = (dataSet: JsonDataSet, above: string, depth: number) => {
    for (const key of Object.keys(dataSet).sort()) {
      const element = dataSet[key];
      if (element === undefined || rows.length >= ROWS_MAX) return;
      const { name = "", keyword = "", profiled = false } = known.get(key) ?? {};
      const tag = `(${key.slice(0, 4)},${key.slice(4)})`;
      const items = element.vr === "SQ" ? (element.Value ?? []).filter(isDataSet) : [];
      const value = element.vr === "SQ" ? "" : valuesOf(element);
      const path = `${above}${key}`;
      const text = folded(`${name} ${keyword} ${value}`);
      put({ path, depth, tag, vr: element.vr ?? "", name, value, profiled, text });
      if (depth < DEPTH_MAX)
        for (const [index, item] of items.entries()) {
          const number = `${index + 1}`;
          put({
            path: `${path}.${number}`,
            depth: depth + 1,
            tag: `#${number}`,
            vr: "",
            name,
            value: "",
            profiled,
            text: "",
          });
          walk(item, `${path}.${number}.`, depth + 2);
        }
    }
  };
  if (isDataSet(instance)) walk(instance, "", 0);
  return rows;
}

/** Rows of a name, keyword, value or tag (in any writing), each with the sequences that it is in. */
export function found(rows: readonly AttributeRow[], query: string): readonly AttributeRow[] {
  const words = folded(query).split(" ").filter(Boolean);
  const digits = query.toUpperCase().replace(/[^0-9A-FX]/g, "");
  if (words.length === 0) return rows;
  const tagged = /^[\s(]*[0-9A-Fa-f]{2,4}[\s,]?[0-9A-Fa-f]{0,4}[\s)]*$/.test(query);
  const hits = rows.filter(
    (row) =>
      words.every((word) => row.text.includes(word)) ||
      (tagged &&
        row.tag
          .replace(/[^0-9A-F]/gi, "")
          .toUpperCase()
          .startsWith(digits)),
  );
  const kept = new Set(hits.flatMap((row) => ancestors(row.path)));
  return rows.filter((row) => kept.has(row.path));
}

function ancestors(path: string): readonly string[] {
  const parts = path.split(".");
  return parts.map((_, index) => parts.slice(0, index + 1).join("."));
}
