// The zones of one device over one of its pictures, if one waits, or over an empty frame: drawn, moved, removed, saved.

import { Button, Modal } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type CSSProperties, type Dispatch, useEffect, useReducer, useState } from "react";
import { useTranslation } from "react-i18next";
import { sheetsQuery } from "../api/reviews";
import type { Box, PixelPicture, PixelReview, PixelZone } from "../api/types";
import { useKeys } from "../ui/hotkeys";
import { hold, type Unsaved } from "../ui/leaving";
import { Notice } from "../ui/Notice";
import { areAs, type Change, changed, type Masks, masksOf, middleBox } from "./boxes";
import styles from "./Instance.module.css";
import { MaskLayer } from "./MaskLayer";
import { MaskList } from "./MaskList";
import { Picture } from "./Picture";
import pictureStyles from "./Picture.module.css";
import { stateOf, ZONE_BOXES_MAX } from "./zones";

const NOT_SAVED: Unsaved = { what: "zones", save: undefined, drop: () => undefined };

export interface ZoneEditorProps {
  readonly zone: PixelZone;
  readonly onSave: (boxes: readonly Box[]) => Promise<void>;
  readonly onRemove: () => Promise<void>;
  readonly onLeave: () => void;
}

export function ZoneEditor({ zone, onSave, onRemove, onLeave }: ZoneEditorProps) {
  const { t } = useTranslation(["zones", "common"]);
  const [masks, change] = useReducer(changed, zone.boxes, masksOf);
  const [busy, setBusy] = useState(false);
  const [asked, ask] = useState(false);
  const { sample } = zone;
  const isDrawn = !areAs(masks, zone.boxes);
  useEffect(() => {
    hold("zones", isDrawn ? NOT_SAVED : undefined);
    return () => hold("zones", undefined);
  }, [isDrawn]);
  const run = async (work: () => Promise<void>) => {
    ask(false);
    setBusy(true);
    await work();
    setBusy(false);
  };
  const count = masks.list.length;
  const isOurs = zone.origin === "drawn" || zone.origin === "learnt";
  const removes = zone.origin === "learnt" ? "forget" : "remove";

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
          {zone.manufacturer} {zone.model}
        </h2>
        <p className={styles["facts"]}>
          {t("size", { columns: zone.columns, rows: zone.rows })} · {zone.site} ·{" "}
          {t(`state.${stateOf(zone)}`, { exams: zone.exams, wanted: zone.examsWanted })}
          {zone.by ? ` · ${t("by", { who: zone.by })}` : ""}
        </p>
        <p className={styles["facts"]}>{t(`hint.${stateOf(zone)}`)}</p>
      </div>
      {sample?.picture ? (
        <Sample review={sample} picture={sample.picture} masks={masks} change={change} />
      ) : (
        <Empty zone={zone} masks={masks} change={change} />
      )}
      <MaskList masks={masks} size={zone} proposed={zone.boxes} change={change} />
      <div className={styles["decision"]}>
        <Button
          disabled={busy || count === 0 || count > ZONE_BOXES_MAX || (zone.origin === "drawn" && !isDrawn)}
          onClick={() => void run(() => onSave(masks.list.map((mask) => mask.box)))}
        >
          {t("save", { count })}
        </Button>
        {isOurs ? (
          <Button disabled={busy} color="red" variant="light" onClick={() => ask(true)}>
            {t(removes)}
          </Button>
        ) : null}
        {count > ZONE_BOXES_MAX ? (
          <p role="status" className={styles["unseen"]}>
            {t("tooMany", { count: ZONE_BOXES_MAX })}
          </p>
        ) : null}
      </div>
      <Modal
        opened={asked}
        onClose={() => ask(false)}
        title={t(removes === "remove" ? "removeQuestion" : "forgetQuestion")}
        closeButtonProps={{ "aria-label": t("common:close") }}
        transitionProps={{ duration: 0 }}
      >
        <p className={styles["sure"]}>{t("removeHint")}</p>
        <div className={styles["answers"]}>
          <Button variant="default" data-autofocus onClick={() => ask(false)}>
            {t("common:cancel")}
          </Button>
          <Button color="red" variant="light" onClick={() => void run(onRemove)}>
            {t(removes)}
          </Button>
        </div>
      </Modal>
    </div>
  );
}

interface SurfaceProps {
  readonly masks: Masks;
  readonly change: Dispatch<Change>;
}

/** A picture of the device that waits for a person; to open it is a look at its study. */
function Sample({
  review,
  picture,
  masks,
  change,
}: SurfaceProps & { readonly review: PixelReview; readonly picture: PixelPicture }) {
  const { t } = useTranslation("review");
  const sheets = useQuery(sheetsQuery(review));
  const [seen, setSeen] = useState<ReadonlySet<number>>(new Set());
  if (!sheets.data) {
    return sheets.isError ? (
      <Notice urgent icon={null} title={t("pictureFailed")}>
        {t("pictureFailedHint")}
      </Notice>
    ) : (
      <Notice icon={null} title={t("making")} />
    );
  }
  return (
    <Picture
      review={review}
      picture={picture}
      sheets={sheets.data}
      seen={seen}
      masks={masks}
      change={change}
      onSeen={(number) => setSeen(new Set([...seen, number]))}
    />
  );
}

/** A frame of the device's size without a picture. */
function Empty({ zone, masks, change }: SurfaceProps & { readonly zone: PixelZone }) {
  const { t } = useTranslation("zones");
  const part = { top: 0, rows: zone.rows, columns: zone.columns };
  useKeys({ n: () => change({ kind: "add", box: middleBox(part) }) });
  const size: CSSProperties = {
    aspectRatio: `${zone.columns} / ${zone.rows}`,
    width: `min(100%, calc(56dvh * ${zone.columns / zone.rows}))`,
  };
  return (
    <figure className={pictureStyles["picture"]}>
      <div className={pictureStyles["stage"]} style={size}>
        <MaskLayer masks={masks} size={zone} part={part} label={t("frame")} change={change} />
      </div>
      <figcaption className={pictureStyles["hint"]}>{t("noSample")}</figcaption>
    </figure>
  );
}
