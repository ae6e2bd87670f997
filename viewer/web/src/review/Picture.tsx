// A frame as received, and over it the masks: drawn, moved and removed by mouse, finger or keyboard.

import { Button } from "@mantine/core";
import { type CSSProperties, type Dispatch, useState } from "react";
import { useTranslation } from "react-i18next";
import { frameAddress } from "../api/reviews";
import type { PixelPicture, PixelReview } from "../api/types";
import { useKeys } from "../ui/hotkeys";
import { Notice } from "../ui/Notice";
import { type Change, type Masks, middleBox } from "./boxes";
import { MaskLayer } from "./MaskLayer";
import styles from "./Picture.module.css";

export interface PictureProps {
  readonly review: PixelReview;
  readonly picture: PixelPicture;
  readonly masks: Masks;
  readonly change: Dispatch<Change>;
  /** A frame stands on the screen. */
  readonly onSeen: () => void;
}

export function Picture({ review, picture, masks, change, onSeen }: PictureProps) {
  const { t } = useTranslation("review");
  const [frame, setFrame] = useState(1);
  const [brighter, setBrighter] = useState(false);
  const [full, setFull] = useState(false);
  const [failed, setFailed] = useState<number>();
  const [shown, setShown] = useState<number>();
  const count = Math.max(1, picture.numberOfFrames);
  const where = { index: frame, count };
  const turn = (by: number) => setFrame(Math.min(Math.max(frame + by, 1), count));

  useKeys({
    n: () => change({ kind: "add", box: middleBox(picture) }),
    b: () => setBrighter(!brighter),
    z: () => setFull(!full),
    PageDown: () => turn(1),
    PageUp: () => turn(-1),
  });

  const size: CSSProperties = {
    aspectRatio: `${picture.columns} / ${picture.rows}`,
    width: full ? picture.columns : `min(100%, calc(56dvh * ${picture.columns / picture.rows}))`,
  };
  return (
    <figure className={styles["picture"]}>
      <div className={styles["tools"]}>
        <Button variant="default" size="compact-sm" aria-pressed={brighter} onClick={() => setBrighter(!brighter)}>
          {t("brighter")}
        </Button>
        <Button variant="default" size="compact-sm" aria-pressed={full} onClick={() => setFull(!full)}>
          {t("fullSize")}
        </Button>
        {count > 1 ? (
          <label className={styles["frame"]}>
            <span>{t("frame")}</span>
            <input
              type="range"
              min={1}
              max={count}
              value={frame}
              aria-valuetext={t("frameOf", where)}
              onChange={(event) => setFrame(Number(event.currentTarget.value))}
            />
            <output>{`${frame}/${count}`}</output>
          </label>
        ) : null}
      </div>
      {failed === frame ? (
        <Notice urgent icon={null} title={t("pictureFailed")}>
          {t("pictureFailedHint")}
        </Notice>
      ) : null}
      <section className={styles["scroll"]} tabIndex={full ? 0 : undefined} aria-label={t("frame")}>
        <div className={styles["stage"]} style={size} data-brighter={brighter} data-loading={shown !== frame}>
          <img
            src={frameAddress(review, picture, frame)}
            alt={t("pictureAlt", { ...where, modality: picture.modality })}
            draggable={false}
            onLoad={() => {
              setShown(frame);
              onSeen();
            }}
            onError={() => setFailed(frame)}
          />
          <MaskLayer masks={masks} size={picture} label={t("picture", where)} change={change} />
        </div>
      </section>
      <figcaption className={styles["hint"]}>{t("drawHint")}</figcaption>
    </figure>
  );
}
