// One instance that waits: its picture with the masks, and the decision.

import { Button } from "@mantine/core";
import { IconArrowLeft, IconFileText, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useReducer, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Result } from "../api/result";
import { acceptReview, documentAddress, rejectReview, sheetsQuery } from "../api/reviews";
import type { Decided, PixelPicture, PixelReview } from "../api/types";
import { hold, type Unsaved } from "../ui/leaving";
import { Notice } from "../ui/Notice";
import { areAs, changed, masksOf } from "./boxes";
import { Decision } from "./Decision";
import styles from "./Instance.module.css";
import { MaskList } from "./MaskList";
import { Picture } from "./Picture";
import { reasonKey } from "./reasons";
import { stripOf, unseenOf } from "./stops";

/** Masks are sent with the decision, and kept nowhere before it. */
const NOT_SENT: Unsaved = { what: "masks", save: undefined, drop: () => undefined };

export interface InstanceProps {
  readonly review: PixelReview;
  readonly onDecided: (how: "accepted" | "rejected", result: Result<Decided>) => void;
  readonly onNext: () => void;
  readonly onLeave: () => void;
}

export function Instance({ review, onDecided, onNext, onLeave }: InstanceProps) {
  const { t } = useTranslation("review");
  const [masks, change] = useReducer(changed, review.proposed, masksOf);
  const sheets = useQuery(sheetsQuery(review));
  const [seen, setSeen] = useState<ReadonlySet<number>>(new Set());
  const { picture } = review;
  const isPicture = picture !== null && picture.rows > 0 && picture.columns > 0;
  const hasPages = !isPicture && (sheets.data?.length ?? 0) > 0;
  const boxes = isPicture || hasPages ? masks.list.map((mask) => mask.box) : [];
  const isDrawn = !areAs(masks, review.proposed);
  useEffect(() => {
    hold("masks", isDrawn ? NOT_SENT : undefined);
    return () => hold("masks", undefined);
  }, [isDrawn]);
  const unseen = sheets.data ? unseenOf(sheets.data, seen).length : undefined;

  return (
    <div className={styles["instance"]}>
      <div className={styles["head"]}>
        <Button
          className={styles["leave"] ?? ""}
          variant="default"
          size="compact-sm"
          leftSection={<IconArrowLeft size={16} />}
          onClick={onLeave}
        >
          {t("toList")}
        </Button>
        <h2 className={styles["title"]}>
          {picture?.modality ? `${picture.modality} · ` : ""}
          {t(`reason.${reasonKey(review.reason)}`)}
        </h2>
        <p className={styles["facts"]}>
          {t("site")} {review.site} · {t("profile")} {review.profile} · <code>{review.reason}</code>
        </p>
      </div>
      {picture && (isPicture || hasPages) ? (
        sheets.data ? (
          <>
            <Picture
              review={review}
              picture={picture}
              sheets={sheets.data}
              seen={seen}
              masks={masks}
              change={change}
              onSeen={(number) => setSeen(new Set([...seen, number]))}
            />
            <MaskList masks={masks} size={stripOf(sheets.data)} proposed={review.proposed} change={change} />
          </>
        ) : (
          <NotYet isFailed={sheets.isError} />
        )
      ) : (
        <NoPicture review={review} picture={picture} />
      )}
      <Decision
        masks={boxes.length}
        isDocument={!isPicture}
        unseen={unseen}
        onAccept={async () => onDecided("accepted", await acceptReview(review, boxes))}
        onReject={async () => onDecided("rejected", await rejectReview(review))}
        onNext={onNext}
      />
    </div>
  );
}

/** What stands where the pictures will be; some can never be shown, such as videos. */
function NotYet({ isFailed }: { readonly isFailed: boolean }) {
  const { t } = useTranslation("review");
  return isFailed ? (
    <Notice urgent icon={null} title={t("pictureFailed")}>
      {t("pictureFailedHint")}
    </Notice>
  ) : (
    <Notice icon={null} title={t("making")} />
  );
}

function NoPicture({ review, picture }: { readonly review: PixelReview; readonly picture: PixelPicture | null }) {
  const { t } = useTranslation("review");
  if (!picture) {
    return (
      <Notice icon={<IconTrash size={48} stroke={1.5} />} title={t("gone")}>
        {t("goneHint")}
      </Notice>
    );
  }
  return (
    <Notice
      icon={<IconFileText size={48} stroke={1.5} />}
      title={t("document")}
      action={
        <Button component="a" href={documentAddress(review, picture)} target="_blank" rel="noreferrer">
          {t("openDocument")}
        </Button>
      }
    >
      {t("documentHint")}
    </Notice>
  );
}
