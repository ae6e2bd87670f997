// Says aloud, and in the window's title, that a STAT study has come.

import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Study, Worklist } from "../api/types";
import { useBodyPart } from "../ui/bodyPart";
import { newStat } from "./studyText";

export interface LiveRegionProps {
  readonly worklist: Worklist | undefined;
  /** Names the question: another question's answer is no news. */
  readonly question: string;
}

export function LiveRegion({ worklist, question }: LiveRegionProps) {
  const { t } = useTranslation(["worklist", "common"]);
  const bodyPart = useBodyPart();
  const before = useRef<{ question: string; studies: readonly Study[] }>(undefined);
  const [news, setNews] = useState<readonly Study[]>([]);

  useEffect(() => {
    if (!worklist) return;
    const known = before.current?.question === question ? before.current.studies : undefined;
    const arrived = newStat(known, worklist.studies);
    if (arrived.length > 0) setNews(arrived);
    before.current = { question, studies: worklist.studies };
  }, [worklist, question]);

  const stat = worklist?.studies.filter((study) => study.priority === "stat").length ?? 0;
  useEffect(() => {
    document.title = stat > 0 ? `(${stat} STAT) ${t("common:product")}` : t("common:product");
    return () => {
      document.title = t("common:product");
    };
  }, [stat, t]);

  return (
    <div className="va-aloud" aria-live="assertive">
      {news.map((study) => (
        <p key={`${study.site}/${study.studyInstanceUID}`}>
          {t("newStat", {
            what: [...study.modalities, study.studyDescription || bodyPart(study.bodyPart)].filter(Boolean).join(" "),
            site: study.site,
          })}
        </p>
      ))}
    </div>
  );
}
