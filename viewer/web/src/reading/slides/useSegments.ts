// The segmentations of a slide: which segments there are, which are on, and how opaque each is.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { addressAt, type StudyKey } from "../../api/queries";
import { segmentationsQuery } from "../../api/slides";
import type { SlideSegment, SlideSegmentation } from "../../api/types";
import { type Color, SEGMENT_OPACITY, segmentColor } from "../../engine/layers/segmentColor";
import type { Ink } from "../../engine/slides/segments/messages";
import { SegmentLayer } from "../../engine/slides/segments/segmentLayer";
import type { Bench } from "./useSlideView";

/** A segment as it is listed and drawn. */
export interface ListedSegment {
  readonly key: string;
  readonly segment: SlideSegment;
  readonly color: Color;
  readonly isOn: boolean;
  /** From nothing to one. */
  readonly opacity: number;
}

export interface ListedSegmentation {
  readonly segmentation: SlideSegmentation;
  readonly segments: readonly ListedSegment[];
}

export interface Segments {
  readonly all: readonly ListedSegmentation[];
  readonly toggle: (key: string) => void;
  /** All off, or if none is on, all on. */
  readonly toggleAll: () => void;
  readonly setOpacity: (key: string, opacity: number) => void;
  /** Parts did not come. */
  readonly failed: boolean;
  /** Parts of what one looks at are being made ready. */
  readonly busy: boolean;
  readonly retry: () => void;
}

const NONE: readonly SlideSegmentation[] = [];

export function useSegments(study: StudyKey, seriesInstanceUid: string, bench: Bench | undefined): Segments {
  const { site } = study;
  const query = useQuery(segmentationsQuery(study, seriesInstanceUid, bench?.view.slide.revision));
  const found = (bench && query.data?.segmentations) ?? NONE;
  const [off, setOff] = useState<ReadonlySet<string>>(new Set());
  const [opacities, setOpacities] = useState<ReadonlyMap<string, number>>(new Map());
  const [layer, setLayer] = useState<SegmentLayer>();
  const [failed, setFailed] = useState(false);
  const [busy, setBusy] = useState(false);
  const [tries, setTries] = useState(0);

  useEffect(() => {
    if (!bench || found.every(({ reason }) => reason !== null)) return undefined;
    const made = new SegmentLayer(bench.view);
    const offs = [
      made.failed.subscribe(() => setFailed(made.failed.get())),
      made.busy.subscribe(() => setBusy(made.busy.get())),
    ];
    setLayer(made);
    return () => {
      for (const stop of offs) stop();
      made.destroy();
      setLayer(undefined);
      setFailed(false);
      setBusy(false);
    };
  }, [bench, found]);

  const all = useMemo(() => listed(found, off, opacities), [found, off, opacities]);
  const inks = useMemo(() => {
    const address = addressAt({ studyInstanceUid: "", site }, "");
    return all.flatMap((one) => inkOf(one, address) ?? []);
  }, [all, site]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another try shows the same once more
  useEffect(() => layer?.show(inks), [layer, inks, tries]);

  return {
    all,
    toggle: (key) => setOff(new Set(off.has(key) ? [...off].filter((one) => one !== key) : [...off, key])),
    toggleAll: () => {
      const keys = all.flatMap(({ segments }) => segments.map(({ key }) => key));
      setOff(new Set(keys.some((key) => !off.has(key)) ? keys : []));
    },
    setOpacity: (key, opacity) => setOpacities(new Map(opacities).set(key, opacity)),
    failed,
    busy,
    retry: () => setTries(tries + 1),
  };
}

/** Each with a color of its own, as long as there are so many. */
function listed(
  found: readonly SlideSegmentation[],
  off: ReadonlySet<string>,
  opacities: ReadonlyMap<string, number>,
): readonly ListedSegmentation[] {
  let count = 0;
  return found.map((segmentation) => ({
    segmentation,
    segments: (segmentation.reason === null ? segmentation.segments : []).map((segment) => {
      const key = `${segmentation.id} ${segment.number}`;
      count += 1;
      const opacity = opacities.get(key) ?? SEGMENT_OPACITY;
      return { key, segment, color: segmentColor(count), isOn: !off.has(key), opacity };
    }),
  }));
}

function inkOf({ segmentation, segments }: ListedSegmentation, query: string): Ink | undefined {
  const on = segments.filter(({ isOn }) => isOn);
  if (on.length === 0) return undefined;
  return {
    tiles: segmentation.tiles,
    query,
    segments: on.map(({ segment, color, opacity }) => ({ number: segment.number, color, opacity })),
  };
}
