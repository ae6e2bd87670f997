// What must be looked at and each frame as received, and over it the masks: by mouse, finger or keyboard.

import { Button } from "@mantine/core";
import { type CSSProperties, type Dispatch, useEffect, useState, type WheelEvent } from "react";
import { useTranslation } from "react-i18next";
import { frameAddress, sheetAddress } from "../api/reviews";
import type { PixelPicture, PixelReview, ReviewSheet } from "../api/types";
import { useKeys } from "../ui/hotkeys";
import { Notice } from "../ui/Notice";
import { type Change, type Masks, middleBox } from "./boxes";
import { ContrastControls } from "./ContrastControls";
import { BRIGHT, type Contrast, isPlain, lineOf, PLAIN, STEP, shifted, valuesOf } from "./contrast";
import { MaskLayer } from "./MaskLayer";
import styles from "./Picture.module.css";
import { partOf, type Stop, stopsOf, stripOf, unseenOf } from "./stops";

const SETTLED_MS = 250;

export interface PictureProps {
  readonly review: PixelReview;
  readonly picture: PixelPicture;
  readonly sheets: readonly ReviewSheet[];
  readonly seen: ReadonlySet<number>;
  readonly masks: Masks;
  readonly change: Dispatch<Change>;
  /** A sheet stands on the screen. */
  readonly onSeen: (number: number) => void;
}

export function Picture({ review, picture, sheets, seen, masks, change, onSeen }: PictureProps) {
  const { t } = useTranslation("review");
  const [at, go] = useState(0);
  const [contrast, setContrast] = useState(PLAIN);
  const [full, setFull] = useState(false);
  const [failed, setFailed] = useState<number>();
  const [shown, setShown] = useState<number>();
  const stops = stopsOf(sheets, picture.numberOfFrames);
  const stop = stops[at];
  const strip = stripOf(sheets);
  const part = stop ? partOf(stop, strip) : { top: 0, ...strip };
  const isDeep = stop?.kind === "sheet" && stop.sheet.deep;
  const settled = useSettled(contrast);
  const values = isDeep && !isPlain(settled) ? valuesOf(settled) : undefined;
  const unseen = unseenOf(sheets, seen);
  const turn = (by: number) => go(Math.min(Math.max(at + by, 0), stops.length - 1));
  const window = (by: Partial<Contrast>) => setContrast(shifted(contrast, by));

  useKeys({
    n: () => change({ kind: "add", box: middleBox(part) }),
    b: () => setContrast(isPlain(contrast) ? BRIGHT : PLAIN),
    z: () => setFull(!full),
    ",": () => window({ level: -STEP }),
    ".": () => window({ level: STEP }),
    "[": () => window({ width: STEP }),
    "]": () => window({ width: -STEP }),
    "0": () => setContrast(PLAIN),
    PageDown: () => turn(1),
    PageUp: () => turn(-1),
  });
  const onWheel = (event: WheelEvent) => {
    if (event.shiftKey) window({ width: Math.sign(event.deltaY || event.deltaX) * STEP });
  };

  if (!stop) return null;
  const what = toldOf(stop, t);
  const isPage = stop.kind === "sheet" && stop.sheet.kind === "page";
  const size: CSSProperties = {
    aspectRatio: `${part.columns} / ${part.rows}`,
    width: full ? part.columns : `min(100%, calc(56dvh * ${part.columns / part.rows}))`,
  };
  return (
    <figure className={styles["picture"]}>
      <div className={styles["tools"]}>
        <Button variant="default" size="compact-sm" aria-pressed={full} onClick={() => setFull(!full)}>
          {t("fullSize")}
        </Button>
        <ContrastControls contrast={contrast} onChange={setContrast} />
      </div>
      {stops.length > 1 ? (
        <div className={styles["tools"]}>
          <label className={styles["frame"]}>
            <span>{t("shown")}</span>
            <input
              type="range"
              min={1}
              max={stops.length}
              value={at + 1}
              aria-valuetext={what}
              onChange={(event) => go(Number(event.currentTarget.value) - 1)}
            />
          </label>
          <output className={styles["what"]}>{what}</output>
          {unseen[0] ? (
            <Button variant="light" size="compact-sm" onClick={() => go((unseen[0]?.number ?? 1) - 1)}>
              {t("showUnseen", { count: unseen.length })}
            </Button>
          ) : null}
        </div>
      ) : null}
      {failed === at ? (
        <Notice urgent icon={null} title={t("pictureFailed")}>
          {t("pictureFailedHint")}
        </Notice>
      ) : null}
      <Transfer contrast={contrast} />
      <section className={styles["scroll"]} tabIndex={full ? 0 : undefined} aria-label={what} onWheel={onWheel}>
        <div
          className={styles["stage"]}
          style={size}
          data-window={!(isDeep || isPlain(contrast))}
          data-loading={shown !== at}
        >
          <img
            src={
              stop.kind === "sheet"
                ? sheetAddress(review, stop.sheet.number, values)
                : frameAddress(review, picture, stop.frame)
            }
            alt={t("pictureAlt", { what, modality: picture.modality })}
            draggable={false}
            onLoad={() => {
              setShown(at);
              if (stop.kind === "sheet") onSeen(stop.sheet.number);
            }}
            onError={() => setFailed(at)}
          />
          <MaskLayer masks={masks} size={strip} part={part} label={t("picture", { what })} change={change} />
        </div>
      </section>
      <figcaption className={styles["hint"]}>{t(isPage ? "pageHint" : "drawHint")}</figcaption>
    </figure>
  );
}

/** What was chosen, once it has stayed so for a moment: a frame of many bits is asked of the node for each window. */
function useSettled(contrast: Contrast): Contrast {
  const [settled, settle] = useState(contrast);
  useEffect(() => {
    const timer = setTimeout(() => settle(contrast), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [contrast]);
  return settled;
}

/** The window as a filter of the page: a straight line on each color. */
function Transfer({ contrast }: { readonly contrast: Contrast }) {
  const line = { type: "linear", ...lineOf(contrast) } as const;
  return (
    <svg width={0} height={0} className={styles["filter"]} aria-hidden>
      <filter id="review-window" colorInterpolationFilters="sRGB">
        <feComponentTransfer>
          <feFuncR {...line} />
          <feFuncG {...line} />
          <feFuncB {...line} />
        </feComponentTransfer>
      </filter>
    </svg>
  );
}

function toldOf(stop: Stop, t: ReturnType<typeof useTranslation<"review">>["t"]): string {
  if (stop.kind === "frame") return t("frameNumber", { number: stop.frame });
  const { kind, firstFrame, lastFrame } = stop.sheet;
  if (kind === "page") return t("pageNumber", { number: firstFrame });
  return kind === "frame" ? t("frameNumber", { number: firstFrame }) : t(kind, { first: firstFrame, last: lastFrame });
}
