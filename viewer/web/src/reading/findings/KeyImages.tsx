// The key images of a study as a strip, what they are for, whether they are kept; and those of other documents.

import { NativeSelect } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { seriesUrl } from "../../api/dicomweb";
import type { StudyKey } from "../../api/queries";
import type { KeyImage } from "../../api/types";
import { useOnline } from "../../ui/useOnline";
import { useStore } from "../useStore";
import styles from "./FindingsPanel.module.css";
import { KeepingBar } from "./KeepingBar";
import { type KeysOfStudy, PURPOSES, type Purpose } from "./studyKeys";

const SIDE = 72;

export interface KeyImagesProps {
  readonly study: StudyKey;
  readonly keys: KeysOfStudy;
  readonly onGo: (image: KeyImage) => void;
}

function isPurpose(title: string): title is Purpose {
  return PURPOSES.some((one) => one === title);
}

export function KeyImages({ study, keys, onGo }: KeyImagesProps) {
  const { t } = useTranslation("findings");
  const { purpose, images } = useStore(keys.choice, (value) => value);
  const others = useStore(keys.others, (value) => value);
  const unsaved = useStore(keys.unsaved, (value) => value);
  const named = (title: string) => (isPurpose(title) ? t(`purpose.${title}`) : title);
  return (
    <section aria-label={t("keyImages")}>
      <h2 className={styles["title"]}>
        {t("keyImages")}
        <span className={styles["count"]}>{images.length}</span>
      </h2>
      {images.length === 0 ? <p className={styles["empty"]}>{t("noKeyImages")}</p> : null}
      <Strip study={study} images={images} onGo={onGo} />
      <NativeSelect
        className={styles["purpose"] ?? ""}
        size="xs"
        aria-label={t("purposeOf")}
        value={purpose}
        data={[...new Set([...PURPOSES, purpose])].map((value) => ({ value, label: named(value) }))}
        onChange={(event) => keys.dedicate(event.currentTarget.value)}
      />
      <KeepingBar keeping={keys.keeping} unsaved={unsaved} draft={keys.draft} label={t("saveKeyImages")} />
      {others.map((other) => (
        <div key={other.instance}>
          <p className={styles["empty"]}>
            {[named(other.title), other.author, other.description].filter(Boolean).join(" · ")}
          </p>
          <Strip study={study} images={other.images} onGo={onGo} />
        </div>
      ))}
    </section>
  );
}

function Strip({
  study,
  images,
  onGo,
}: Pick<KeyImagesProps, "study" | "onGo"> & { readonly images: readonly KeyImage[] }) {
  const { t } = useTranslation("findings");
  return (
    <ul className={styles["strip"]}>
      {images.map((image, index) => (
        <li key={`${image.sopInstanceUID} ${image.frameNumber ?? 1}`}>
          <button type="button" className={styles["key"]} onClick={() => onGo(image)}>
            <Picture
              src={`${seriesUrl(study, image.seriesInstanceUID)}/instances/${image.sopInstanceUID}/frames/${image.frameNumber ?? 1}/rendered?viewport=${SIDE},${SIDE}`}
              alt={t("keyImage", { number: index + 1 })}
            />
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Asked for again when the line is back, if it could not be had without. */
function Picture({ src, alt }: { readonly src: string; readonly alt: string }) {
  const online = useOnline();
  const [failed, setFailed] = useState(false);
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the line's coming back asks again
  useEffect(() => {
    if (!(online && failed)) return;
    setFailed(false);
    setTries((before) => before + 1);
  }, [online]);
  return <img key={tries} src={src} alt={alt} width={SIDE} height={SIDE} onError={() => setFailed(true)} />;
}
