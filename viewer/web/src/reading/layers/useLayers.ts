// The layers of a study: its segmentations, as they arrive.

import { useQueries } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { metadataQuery, seriesUrl } from "../../api/dicomweb";
import type { StudyKey } from "../../api/queries";
import type { Series } from "../../api/types";
import { isDataSet } from "../../engine/frames/dicomJson";
import { Layers } from "../../engine/layers/layers";
import { type PresentationState, presentationStateOf } from "../../engine/layers/presentationState";
import { type Segmentation, segmentationOf } from "../../engine/layers/segmentation";

export interface StudyLayers {
  readonly layers: Layers;
  readonly segmentations: readonly Segmentation[];
  readonly states: readonly PresentationState[];
}

export function useLayers(study: StudyKey, series: readonly Series[]): StudyLayers {
  const layers = useMemo(() => new Layers(), []);
  const carrying = series.filter((one) => one.modality === "SEG");
  const segmentations = useQueries({
    queries: carrying.map((one) => metadataQuery(study, one.seriesInstanceUID, one.instances)),
    combine: (answers) =>
      answers.flatMap(({ data }, index) =>
        (data ?? [])
          .filter(isDataSet)
          .flatMap(
            (instance) => segmentationOf(instance, seriesUrl(study, carrying[index]?.seriesInstanceUID ?? "")) ?? [],
          ),
      ),
  });
  const known = segmentations.map((one) => one.sopInstanceUid).join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same segmentations are other objects at each render
  const steady = useMemo(() => segmentations, [known]);
  useEffect(() => layers.setSegmentations(steady), [layers, steady]);
  const presentations = useQueries({
    queries: series
      .filter((one) => one.modality === "PR")
      .map((one) => metadataQuery(study, one.seriesInstanceUID, one.instances)),
    combine: (answers) =>
      answers.flatMap(({ data }) => (data ?? []).filter(isDataSet).flatMap((one) => presentationStateOf(one) ?? [])),
  });
  return { layers, segmentations: steady, states: presentations };
}
