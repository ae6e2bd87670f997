// What a row says, decided apart from how it looks. Pure.

import type { Study } from "../api/types";

/** How far the images of a study are, in words of the language files (worklist:images*). */
export type ImageCount =
  | { readonly key: "images"; readonly have: number; readonly expected: number }
  | { readonly key: "imagesUnknown" | "imagesAll"; readonly count: number };

export function imageCount(study: Pick<Study, "have" | "expected" | "state">): ImageCount {
  const { have, expected, state } = study;
  if (expected !== null && have >= expected && state === "complete") return { key: "imagesAll", count: have };
  if (expected !== null) return { key: "images", have, expected };
  return state === "complete" ? { key: "imagesAll", count: have } : { key: "imagesUnknown", count: have };
}

/** Shown beside the count; "short" is a study called complete of which images are missing. */
export type Completeness = "receiving" | "complete" | "short";

export function completeness(study: Pick<Study, "have" | "expected" | "state">): Completeness {
  if (study.state === "receiving") return "receiving";
  return study.expected !== null && study.have < study.expected ? "short" : "complete";
}

/** Between 0 and 1, or undefined when the total is not known. */
export function progress(study: Pick<Study, "have" | "expected">): number | undefined {
  if (study.expected === null || study.expected <= 0) return undefined;
  return Math.min(study.have / study.expected, 1);
}

/** Names a row for good: two sites may use the same UID. */
export function keyOf(study: Pick<Study, "site" | "studyInstanceUID">): string {
  return `${study.site}/${study.studyInstanceUID}`;
}

/** The STAT studies of `now` that `before` did not have; none at the first look. */
export function newStat(before: readonly Study[] | undefined, now: readonly Study[]): readonly Study[] {
  if (!before) return [];
  const known = new Set(before.filter((study) => study.priority === "stat").map(keyOf));
  return now.filter((study) => study.priority === "stat" && !known.has(keyOf(study)));
}
