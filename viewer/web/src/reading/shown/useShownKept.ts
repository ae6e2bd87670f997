// Has the node remember what the room draws as it is stored, while a page shows it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { studyUrl } from "../../api/dicomweb";
import { type StudyKey, sessionQuery } from "../../api/queries";
import { shownKey, shownQuery, tellShown } from "../../api/shown";
import type { Series, ShownSeries } from "../../api/types";
import type { StackView } from "../../engine/stack/stackView";
import type { PaneChoice } from "../arrangement/panes";
import { ShownBook } from "./shownBook";

/** A guest of a link has no account that it could be kept with. */
function useIsKept(): boolean {
  return useQuery(sessionQuery).data?.rights.includes("api:read") ?? false;
}

/** `behind`: something else is drawn over the pictures. */
export function useShownKept(
  views: readonly (StackView | undefined)[],
  panes: readonly PaneChoice[],
  behind: boolean,
): void {
  const questions = useQueryClient();
  const kept = useIsKept();
  const [book, setBook] = useState<ShownBook>();

  useEffect(() => {
    if (!kept) return undefined;
    const made = new ShownBook({
      tell: tellShown,
      onKept: (study, shown) => questions.setQueriesData({ queryKey: shownKey(study) }, shown),
    });
    const leave = () => made.flush(true);
    window.addEventListener("pagehide", leave);
    setBook(made);
    return () => {
      window.removeEventListener("pagehide", leave);
      made.end();
      setBook(undefined);
    };
  }, [kept, questions]);

  useEffect(() => {
    if (!book || behind) return undefined;
    const looks = views.map((view, index) => () => {
      const [frame, study] = [view?.drawn.get(), panes[index]?.study];
      const here = frame && study && frame.url.startsWith(`${studyUrl(study)}/`);
      if (here && document.visibilityState === "visible") book.note(study, frame);
    });
    const stops = looks.flatMap((look, index) => {
      look();
      document.addEventListener("visibilitychange", look);
      return [views[index]?.drawn.subscribe(look), () => document.removeEventListener("visibilitychange", look)];
    });
    return () => {
      for (const stop of stops) stop?.();
    };
  }, [book, views, panes, behind]);
}

/** How many images of each series were shown as they are stored, by Series Instance UID. */
export function useShown(study: StudyKey, series: readonly Series[]): ReadonlyMap<string, ShownSeries> {
  const kept = useIsKept();
  const images = series.reduce((sum, one) => sum + one.instances, 0);
  const told = useQuery({ ...shownQuery(study, images), enabled: kept && images > 0 }).data;
  return new Map(told?.map((one) => [one.seriesInstanceUID, one]));
}
