// Hanging protocols: which series stand where, with which window, as small rules in JSON.
// A word stands for a whole word without accents; one that ends in * for words that begin so.

import type { Preset } from "../../engine/frames/presets";
import { LAYOUTS, type Layout } from "../arrangement/panes";
import builtIn from "./protocols.json";

/** What a study must have; what is not said is no matter. The more is said, the more particular the protocol. */
export interface When {
  readonly modality?: readonly string[];
  /** A key of regions.json. */
  readonly region?: string;
  /** Words of the study's or a series' description; any of them is enough. */
  readonly words?: readonly string[];
  /** Series that are no localizers. */
  readonly seriesMin?: number;
  /** Another study of the same person, region and modality is at hand. */
  readonly prior?: boolean;
}

export interface PaneRule {
  readonly of?: "prior";
  /** Words of the series' description; none: any series. */
  readonly words?: readonly string[];
  /** When no series has the words: the next one that is not shown, or the largest whether shown or not. */
  readonly otherwise?: "next" | "largest";
  readonly preset?: Preset["name"];
}

/** `id` is a key of the language files (reading:hanging.*). */
export interface Protocol {
  readonly id: string;
  readonly when: When;
  readonly panes: readonly PaneRule[];
  /** Whether the pictures are scrolled together; they are, unless it says no. */
  readonly linked?: boolean;
}

/** A protocol has as many panes as a layout has. */
export function layoutOf({ panes }: Protocol): Layout {
  return LAYOUTS.find((layout) => layout >= panes.length) ?? 1;
}

export const PROTOCOLS: readonly Protocol[] = builtIn as readonly (Omit<Protocol, "panes"> & {
  readonly panes: readonly PaneRule[];
})[];
