// Which hanging protocols fit a study, and what the best of them puts where. Pure.

import type { Series, Study } from "../../api/types";
import { folded } from "../../ui/folded";
import type { Layout } from "../arrangement/panes";
import { layoutOf, type PaneRule, type Protocol, type When } from "./protocol";
import regions from "./regions.json";

export interface Case {
  /** Undefined until the node has told. */
  readonly study: Study | undefined;
  readonly series: readonly Series[];
  readonly priors: readonly Study[];
}

interface HungPane {
  /** Undefined: the study that is read. */
  readonly prior: Study | undefined;
  /** Undefined in a prior: its first series that has one of `words`. */
  readonly seriesInstanceUid: string | undefined;
  readonly words: readonly string[];
  readonly preset: PaneRule["preset"];
}

export interface Hung {
  readonly layout: Layout;
  readonly linked: boolean;
  readonly panes: readonly HungPane[];
}

/** Series that only show where the others lie, or tell of the dose. */
const ASIDE = ["locali*", "loc", "scout*", "topogram", "survey", "dinh vi", "dose report"];

/** Whether one of the words is in the text; "t2*" is in "T2W". */
export function hasWord(text: string, words: readonly string[]): boolean {
  const within = ` ${folded(text)} `;
  return words.some((word) => within.includes(word.endsWith("*") ? ` ${word.slice(0, -1)}` : ` ${word} `));
}

/** The region of the body that codes or, without one, descriptions tell; empty when neither does. */
export function regionOf(bodyParts: readonly string[], descriptions: readonly string[]): string {
  const codes = new Set(bodyParts.map((code) => code.toUpperCase().replace(/[^A-Z]/g, "")));
  const known = Object.entries(regions);
  const coded = known.find(([, region]) => region.bodyParts.some((code) => codes.has(code)));
  const told = () => known.find(([, region]) => descriptions.some((one) => hasWord(one, region.words)));
  return (coded ?? told())?.[0] ?? "";
}

function regionOfCase({ study, series }: Case): string {
  const codes = [study?.bodyPart ?? "", ...series.map((one) => one.bodyPart)];
  return regionOf(codes, [study?.studyDescription ?? "", ...series.map((one) => one.description)]);
}

function pictures(series: readonly Series[]): readonly Series[] {
  const shown = series.filter((one) => !hasWord(one.description, ASIDE));
  return shown.length > 0 ? shown : series;
}

/** The newest other study of this region that shares a modality; the node lists the newest first. */
export function comparable(one: Case): Study | undefined {
  const modalities = new Set(pictures(one.series).map((series) => series.modality));
  const region = regionOfCase(one);
  return one.priors.find(
    (prior) =>
      prior.modalities.some((modality) => modalities.has(modality)) &&
      regionOf([prior.bodyPart], [prior.studyDescription]) === region,
  );
}

function meets(when: When, one: Case): boolean {
  const shown = pictures(one.series).filter((series) => when.modality?.includes(series.modality) ?? true);
  const descriptions = [one.study?.studyDescription ?? "", ...shown.map((series) => series.description)];
  return (
    shown.length >= (when.seriesMin ?? 1) &&
    (when.region === undefined || when.region === regionOfCase(one)) &&
    (when.words === undefined || descriptions.some((text) => hasWord(text, when.words ?? []))) &&
    (when.prior === undefined || when.prior === (comparable(one) !== undefined))
  );
}

/** What a reader's default is kept under: the modality and region of a study. */
export function kindOf(one: Case): string {
  return `${pictures(one.series)[0]?.modality ?? ""} ${regionOfCase(one)}`.trim();
}

/** Those that fit, the reader's default first, then the more particular, then as they are listed. */
export function fitting(
  protocols: readonly Protocol[],
  one: Case,
  defaults: Readonly<Record<string, string>>,
): readonly Protocol[] {
  const wanted = defaults[kindOf(one)];
  const weight = (protocol: Protocol) => (protocol.id === wanted ? 100 : Object.keys(protocol.when).length);
  return protocols.filter((protocol) => meets(protocol.when, one)).sort((a, b) => weight(b) - weight(a));
}

function largest(series: readonly Series[]): Series | undefined {
  return series.reduce<Series | undefined>(
    (best, one) => (best && best.instances >= one.instances ? best : one),
    undefined,
  );
}

/** The series of another study to show beside this one: one with these words, else the largest that is no localizer. */
export function likely(series: readonly Series[], words: readonly string[] = []): Series | undefined {
  const shown = pictures(series);
  return shown.find((one) => hasWord(one.description, words)) ?? largest(shown);
}

/** Put the series of a study into the panes of a protocol. */
export function hang(protocol: Protocol, one: Case): Hung {
  const modalities = protocol.when.modality;
  const all = pictures(one.series).filter((series) => modalities?.includes(series.modality) ?? true);
  const prior = comparable(one);
  const shown = new Set<string>();
  const choose = ({ words, otherwise }: PaneRule): string | undefined => {
    const free = all.filter((series) => !shown.has(series.seriesInstanceUID));
    const named = words && free.find((series) => hasWord(series.description, words));
    const chosen = named ?? (otherwise === "largest" ? largest(all) : (free[0] ?? all[0]));
    if (chosen) shown.add(chosen.seriesInstanceUID);
    return chosen?.seriesInstanceUID;
  };
  const panes = protocol.panes.map((rule) => ({
    prior: rule.of === "prior" ? prior : undefined,
    seriesInstanceUid: rule.of === "prior" ? undefined : choose(rule),
    words: rule.words ?? [],
    preset: rule.preset,
  }));
  return { layout: layoutOf(protocol), linked: protocol.linked ?? true, panes };
}

/** Where there is room for one picture: the first of those that were hung, in its window. */
export function alone(hung: Hung): Hung {
  return { ...hung, layout: 1, panes: hung.panes.slice(0, 1) };
}
