// Said when the browser did not let the second window open.

import { IconWindowOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import styles from "../drafts/DraftBar.module.css";
import { useStore } from "../useStore";
import { blocked } from "./pair";

export function SecondBar() {
  const { t } = useTranslation("reading");
  if (!useStore(blocked, (value) => value)) return null;
  return (
    <div className={styles["bar"]} role="alert">
      <IconWindowOff size={18} aria-hidden />
      <span>{t("second.blocked")}</span>
    </div>
  );
}
