// The bulk annotations of a slide: which groups there are, which are on, and what was pointed at.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { addressAt, type StudyKey } from "../../api/queries";
import { bulkQuery } from "../../api/slides";
import type { BulkGroup } from "../../api/types";
import { type BulkHit, BulkLayer } from "../../engine/slides/bulk/bulkLayer";
import type { Ink } from "../../engine/slides/bulk/messages";
import { onAtFirst } from "./bulkStart";
import type { Bench } from "./useSlideView";

export interface Bulk {
  readonly groups: readonly BulkGroup[];
  /** Instances that cannot be read. */
  readonly unread: number;
  readonly isOn: (group: BulkGroup) => boolean;
  readonly toggle: (group: BulkGroup) => void;
  readonly hit: BulkHit | undefined;
  /** Parts did not come. */
  readonly failed: boolean;
  readonly retry: () => void;
}

/** Told apart on stained tissue, and by most eyes. */
const COLORS = ["#0077ff", "#00a83c", "#ff9100", "#00b8d4", "#c400e0", "#b7c400", "#7a5c00", "#ff1744"] as const;
const NONE: readonly BulkGroup[] = [];

export function colorOf(index: number): string {
  return COLORS[index % COLORS.length] ?? COLORS[0];
}

export function useBulk(study: StudyKey, seriesInstanceUid: string, bench: Bench | undefined): Bulk {
  const { site } = study;
  const query = useQuery(bulkQuery(study, seriesInstanceUid, bench?.view.slide.revision));
  const groups = (bench && query.data?.groups) ?? NONE;
  const [changed, setChanged] = useState<ReadonlySet<string>>(new Set());
  const [layer, setLayer] = useState<BulkLayer>();
  const [hit, setHit] = useState<BulkHit>();
  const [failed, setFailed] = useState(false);
  const [tries, setTries] = useState(0);
  const first = useMemo(() => onAtFirst(groups), [groups]);
  const isOn = ({ id }: BulkGroup) => first.has(id) !== changed.has(id);

  useEffect(() => {
    if (!bench || groups.length === 0) return undefined;
    const made = new BulkLayer(bench.view, bench.tool.picked);
    const offs = [
      made.hit.subscribe(() => setHit(made.hit.get())),
      made.failed.subscribe(() => setFailed(made.failed.get())),
    ];
    setLayer(made);
    return () => {
      for (const off of offs) off();
      made.destroy();
      setLayer(undefined);
      setHit(undefined);
      setFailed(false);
    };
  }, [bench, groups]);

  const inks = useMemo(() => {
    const query = addressAt({ studyInstanceUid: "", site }, "");
    return groups.flatMap((group, index): Ink[] =>
      first.has(group.id) !== changed.has(group.id)
        ? [{ group: index, tiles: group.tiles, query, color: colorOf(index) }]
        : [],
    );
  }, [groups, first, changed, site]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another try shows the same once more
  useEffect(() => layer?.show(inks), [layer, inks, tries]);

  const toggle = ({ id }: BulkGroup) =>
    setChanged((before) => new Set(before.has(id) ? [...before].filter((one) => one !== id) : [...before, id]));
  return { groups, unread: query.data?.unread ?? 0, isOn, toggle, hit, failed, retry: () => setTries(tries + 1) };
}
