// What other documents draw in the studies that are on screen: the documents, and their marks as they are drawn.

import { useQueries } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { othersQuery } from "../../api/others";
import type { StudyKey } from "../../api/queries";
import type { OthersMarksDocument, Series } from "../../api/types";
import type { Layers } from "../../engine/layers/layers";
import { usePreferences } from "../../ui/preferences";
import { saidBy, saidOf } from "./othersWords";

/** Documents of the study that is read; those of the `priors` beside it are drawn, too. */
export function useOthers(
  layers: Layers,
  study: StudyKey,
  series: readonly Series[],
  priors: readonly StudyKey[],
): readonly OthersMarksDocument[] {
  const { t } = useTranslation("findings");
  const language = usePreferences((preferences) => preferences.language);
  const reports = series.filter((one) => one.modality === "SR").reduce((sum, one) => sum + one.instances, 0);
  const beside = priors.filter(
    (one, index) => priors.findIndex((other) => other.studyInstanceUid === one.studyInstanceUid) === index,
  );
  const [own, ...theirs] = useQueries({
    queries: [{ ...othersQuery(study, reports), enabled: reports > 0 }, ...beside.map((one) => othersQuery(one, 0))],
  });
  const told = [own?.data, ...theirs.map((one) => one.data)].flatMap((one) => one?.documents ?? []);
  const known = told.map((one) => one.instance).join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same documents are other objects at each render
  const marks = useMemo(
    () =>
      told.flatMap((one) =>
        one.marks.map((mark) => ({
          says: [...saidOf(mark, t, language), saidBy(one, language)].filter(Boolean).join("\n"),
          shapes: mark.shapes,
        })),
      ),
    [known, language, t],
  );
  useEffect(() => layers.setOthers(marks), [layers, marks]);
  return own?.data?.documents ?? NONE;
}

const NONE: readonly OthersMarksDocument[] = [];
