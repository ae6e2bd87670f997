// The marks of other documents as a list: who drew what, where each is. They are shown and not changed.

import { useTranslation } from "react-i18next";
import type { KeyImage, OthersMark, OthersMarksDocument } from "../../api/types";
import type { Vector } from "../../engine/frames/geometry";
import { usePreferences } from "../../ui/preferences";
import styles from "./FindingsPanel.module.css";
import { saidBy, saidOf } from "./othersWords";

/** Rows of one document; the report itself has all. */
const ROWS_MAX = 200;

export interface OthersMarksProps {
  readonly documents: readonly OthersMarksDocument[];
  readonly onGo: (image: KeyImage) => void;
  /** Go to the slice of a frame of reference that is nearest to a place. */
  readonly onPlace: (frameOfReferenceUid: string, place: Vector) => void;
}

/** Nothing, where no other document draws. */
export function OthersMarks({ documents, onGo, onPlace }: OthersMarksProps) {
  const { t } = useTranslation("findings");
  const language = usePreferences((preferences) => preferences.language);
  if (documents.length === 0) return null;
  const go = (mark: OthersMark) => {
    const [shape] = mark.shapes;
    const [x, y, z] = shape?.points[0] ?? [];
    if (shape?.seriesInstanceUID) {
      const { seriesInstanceUID, sopInstanceUID, frames } = shape;
      onGo({ seriesInstanceUID, sopInstanceUID, frameNumber: frames[0] ?? null });
    } else if (shape && x !== undefined && y !== undefined && z !== undefined) {
      onPlace(shape.frameOfReferenceUID, [x, y, z]);
    }
  };
  return (
    <section aria-label={t("others")}>
      <h2 className={styles["title"]}>
        {t("others")}
        <span className={styles["count"]}>{documents.reduce((sum, one) => sum + one.marks.length, 0)}</span>
      </h2>
      {documents.map((one) => (
        <div key={one.instance}>
          <p className={styles["empty"]}>
            {[one.title, saidBy(one, language), one.verified ? t("report.verified") : ""].filter(Boolean).join(" · ")}
          </p>
          <ol className={styles["list"]}>
            {one.marks.slice(0, ROWS_MAX).map((mark, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a document's marks never change
              <li key={index} className={styles["row"]}>
                <button type="button" className={styles["name"]} onClick={() => go(mark)}>
                  {saidOf(mark, t, language).filter(Boolean).join(" · ")}
                </button>
              </li>
            ))}
          </ol>
          {one.marks.length > ROWS_MAX ? (
            <p className={styles["empty"]}>{t("othersMore", { shown: ROWS_MAX })}</p>
          ) : null}
        </div>
      ))}
    </section>
  );
}
