// The list's shape while the first answer is on its way.

import { useTranslation } from "react-i18next";
import styles from "./Skeleton.module.css";

const ROWS = ["a", "b", "c", "d", "e", "f"];

export function Skeleton() {
  const { t } = useTranslation();
  return (
    <div role="status" aria-label={t("loading")} className={styles["skeleton"]}>
      {ROWS.map((row) => (
        <div key={row} className={styles["row"]} aria-hidden />
      ))}
    </div>
  );
}
