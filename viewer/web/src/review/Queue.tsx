// The instances that wait, oldest first.

import { useTranslation } from "react-i18next";
import type { PixelReview } from "../api/types";
import { formatMoment } from "../ui/format";
import { usePreferences } from "../ui/preferences";
import { useNow } from "../ui/useNow";
import styles from "./Queue.module.css";
import { keyOf } from "./queue";
import { reasonKey } from "./reasons";

export interface QueueProps {
  readonly waiting: readonly PixelReview[];
  readonly chosen: string | undefined;
  readonly onOpen: (review: PixelReview) => void;
}

export function Queue({ waiting, chosen, onOpen }: QueueProps) {
  const { t } = useTranslation("review");
  const language = usePreferences((preferences) => preferences.language);
  const now = useNow();
  return (
    <ul className={styles["queue"]}>
      {waiting.map((review) => (
        <li key={keyOf(review)}>
          <button
            type="button"
            className={styles["item"]}
            aria-current={keyOf(review) === chosen}
            onClick={() => onOpen(review)}
          >
            <span className={styles["first"]}>
              <strong>{review.picture?.modality || "–"}</strong>
              <time dateTime={review.at}>{formatMoment(new Date(review.at), now, language)}</time>
            </span>
            <span>{t(`reason.${reasonKey(review.reason)}`)}</span>
            <span className={styles["last"]}>
              {t("site")} {review.site}
              {review.picture && review.picture.numberOfFrames > 1
                ? ` · ${t("frames", { count: review.picture.numberOfFrames })}`
                : ""}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
