// What the list is narrowed to. Kept while the page lives, so that coming back from a study finds the same list.

import { create } from "zustand";
import type { WorklistFilter } from "../api/queries";

export const PERIODS = ["any", "today", "3days", "7days", "custom"] as const;
export type Period = (typeof PERIODS)[number];

export const MODALITIES = ["CT", "MR", "CR", "DX", "US", "MG", "XA", "NM", "PT", "SM", "OT"] as const;

export interface Narrowing {
  readonly text: string;
  readonly modality: string;
  readonly period: Period;
  /** ISO days, as date fields give them; used for a custom period only. */
  readonly from: string;
  readonly to: string;
}

/** As far back as one scrolls; whoever looks for an older study searches. */
const PAGES_MAX = 10;

export const WIDE: Narrowing = { text: "", modality: "", period: "any", from: "", to: "" };

interface FilterStore {
  readonly narrowing: Narrowing;
  readonly pages: number;
  /** The row that has the keyboard, by its key. */
  readonly chosen: string | undefined;
  readonly narrow: (change: Partial<Narrowing>) => void;
  readonly widen: () => void;
  readonly more: () => void;
  readonly choose: (key: string | undefined) => void;
}

export const useFilter = create<FilterStore>()((set, get) => ({
  narrowing: WIDE,
  pages: 1,
  chosen: undefined,
  narrow: (change) => set({ pages: 1, narrowing: { ...get().narrowing, ...change } }),
  widen: () => set({ pages: 1, narrowing: WIDE }),
  more: () => set({ pages: Math.min(get().pages + 1, PAGES_MAX) }),
  choose: (chosen) => set({ chosen }),
}));

export function isNarrow(narrowing: Narrowing): boolean {
  return Boolean(narrowing.text || narrowing.modality) || narrowing.period !== "any";
}

const DAYS_BACK: Partial<Record<Period, number>> = { today: 0, "3days": 2, "7days": 6 };

/** The moment at which a day begins here, `days` after it; empty for no day. */
function startOf(isoDay: string, days = 0): string {
  const [year, month, day] = isoDay.split("-").map(Number);
  return year && month && day ? new Date(year, month - 1, day + days).toISOString() : "";
}

/** The question to the node on a day. Days are those of arrival: a study's own date may be shifted. */
export function questionOf(narrowing: Narrowing, today: Date): WorklistFilter {
  const { text, modality, period } = narrowing;
  const plain = { q: text.trim(), modality };
  const back = DAYS_BACK[period];
  if (back !== undefined) {
    const since = new Date(today.getFullYear(), today.getMonth(), today.getDate() - back);
    return { ...plain, receivedFrom: since.toISOString(), receivedBefore: "" };
  }
  if (period !== "custom") return { ...plain, receivedFrom: "", receivedBefore: "" };
  return { ...plain, receivedFrom: startOf(narrowing.from), receivedBefore: startOf(narrowing.to, 1) };
}
