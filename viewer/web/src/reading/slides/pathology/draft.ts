// What is typed into the form, against what the node has of it. Pure.

import type { PathologyForm } from "../../../api/types";

export type Purpose = PathologyForm["purpose"];

export interface Draft {
  readonly purpose: Purpose;
  /** By name of the field; one that is absent is empty. */
  readonly values: Readonly<Record<string, string>>;
}

/** What the node has, as it would be typed. */
export function draftOf({ purpose, values }: Pick<PathologyForm, "purpose" | "values">): Draft {
  const texts = Object.entries(values).map(([name, value]) => [name, String(value)] as const);
  return { purpose, values: Object.fromEntries(texts) };
}

function namesOf(...drafts: readonly Draft[]): readonly string[] {
  return [...new Set(drafts.flatMap(({ values }) => Object.keys(values)))];
}

/** Whether anything was typed that the node does not have; the node keeps no blanks around a text. */
export function isChanged(base: Draft, typed: Draft): boolean {
  const text = (draft: Draft, name: string) => (draft.values[name] ?? "").trim();
  return base.purpose !== typed.purpose || namesOf(base, typed).some((name) => text(base, name) !== text(typed, name));
}

/** What somebody else saved since `base`, with what was typed here instead of theirs. */
export function merged(base: Draft, typed: Draft, theirs: Draft): Draft {
  const values = namesOf(base, typed, theirs).map((name) => {
    const mine = typed.values[name] ?? "";
    return [name, mine === (base.values[name] ?? "") ? (theirs.values[name] ?? "") : mine] as const;
  });
  return {
    purpose: typed.purpose === base.purpose ? theirs.purpose : typed.purpose,
    values: Object.fromEntries(values),
  };
}
