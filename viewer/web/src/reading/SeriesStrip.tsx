// The series of a study: a small picture, what it is, and how many images have come.

import { IconPhotoOff } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { thumbnailUrl } from "../api/dicomweb";
import { isSlide } from "../api/opening";
import type { StudyKey } from "../api/queries";
import type { Series } from "../api/types";
import type { Stack } from "../engine/frames/stacks";
import { type FrameProblemKind, refusalOf } from "../engine/loading/problems";
import styles from "./SeriesStrip.module.css";
import { SeenMark } from "./shown/SeenMark";
import { useShown } from "./shown/useShownKept";
import { AGAIN_MS, SlideThumbnail, SlideTitle } from "./slides/SlideThumbnail";

export interface SeriesStripProps {
  readonly study: StudyKey;
  readonly series: readonly Series[];
  readonly chosen: string | undefined;
  readonly onChoose: (seriesInstanceUid: string) => void;
  /** The stacks of the chosen series, when it has several. */
  readonly stacks: readonly Stack[];
  readonly stackId: string | undefined;
  readonly onStack: (id: string) => void;
}

export function SeriesStrip({ study, series, chosen, onChoose, stacks, stackId, onStack }: SeriesStripProps) {
  const { t } = useTranslation("reading");
  const seen = useShown(study, series);
  return (
    <nav className={styles["strip"]} aria-label={t("seriesList")}>
      <ul>
        {series.map((one) => {
          const current = one.seriesInstanceUID === chosen;
          return (
            <li key={one.seriesInstanceUID}>
              <button
                type="button"
                className={styles["series"]}
                aria-current={current ? "true" : undefined}
                onClick={() => onChoose(one.seriesInstanceUID)}
              >
                {isSlide(one) ? (
                  <SlideThumbnail study={study} series={one} />
                ) : (
                  <Thumbnail study={study} series={one} />
                )}
                <span className={styles["text"]}>
                  <span className={styles["title"]}>
                    <b>{one.modality}</b>{" "}
                    {isSlide(one) ? (
                      <SlideTitle study={study} series={one} />
                    ) : (
                      one.description || (one.number === null ? "" : t("series", { number: one.number }))
                    )}
                  </span>
                  <span className={styles["count"]} aria-live={current ? "polite" : "off"}>
                    {t("images", { count: one.instances })}
                  </span>
                  <SeenMark shown={seen.get(one.seriesInstanceUID)} />
                </span>
              </button>
              {current && stacks.length > 1 ? (
                <div className={styles["stacks"]}>
                  {stacks.map((stack, index) => (
                    <button
                      key={stack.id}
                      type="button"
                      aria-pressed={stack.id === stackId}
                      title={t("images", { count: stack.frames.length })}
                      onClick={() => onStack(stack.id)}
                    >
                      {index + 1}
                    </button>
                  ))}
                </div>
              ) : null}
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

/**
 * A picture that could not be made is asked for again when more images have come; one that did not arrive, or that a busy
 * node could not make, after a while.
 */
function Thumbnail({ study, series }: { readonly study: StudyKey; readonly series: Series }) {
  const { t } = useTranslation("reading");
  const [failedAt, setFailedAt] = useState<number>();
  const [why, setWhy] = useState<FrameProblemKind>();
  const url = thumbnailUrl(study, series.seriesInstanceUID);
  const failed = async () => {
    setFailedAt(series.instances);
    setWhy(undefined);
    // A picture's fault tells no reason: the answer does.
    const response = await fetch(url, { credentials: "same-origin" }).catch(() => undefined);
    if (!response?.ok) setWhy(response ? await refusalOf(response) : "unreachable");
  };
  useEffect(() => {
    if (why !== "unreachable") return undefined;
    const timer = setTimeout(() => {
      setFailedAt(undefined);
      setWhy(undefined);
    }, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [why]);
  if (failedAt === series.instances) {
    const reason = why && t(`frameProblem.${why}`);
    const label = reason ? `${t("noThumbnail")}: ${reason}` : t("noThumbnail");
    return (
      <span className={styles["thumbnail"]} role="img" aria-label={label} title={reason}>
        <IconPhotoOff size={24} stroke={1.5} />
      </span>
    );
  }
  return (
    <img
      key={failedAt}
      className={styles["thumbnail"]}
      src={url}
      alt=""
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={failed}
    />
  );
}
