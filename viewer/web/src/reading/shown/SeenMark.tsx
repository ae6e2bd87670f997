// How much of a series its reader has had on the screen as it is stored.

import { IconEyeCheck } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { ShownSeries } from "../../api/types";
import styles from "./SeenMark.module.css";

export function SeenMark({ shown: told }: { readonly shown: ShownSeries | undefined }) {
  const { t } = useTranslation("shown");
  if (!told) return null;
  const { shown, images } = told;
  return (
    <span className={styles["seen"]} data-all={shown === images} title={t("seenWhy")}>
      {shown === images ? <IconEyeCheck size={15} aria-hidden /> : null}
      {shown === images ? t("seenAll") : t("seen", { shown, images })}
    </span>
  );
}
