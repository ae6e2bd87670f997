// Tells a reader without a validation record that there is none; nobody is kept from reading by it.

import { Button } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import styles from "./Validation.module.css";

export interface ValidationBannerProps {
  readonly onOpen: () => void;
  readonly onLater: () => void;
}

export function ValidationBanner({ onOpen, onLater }: ValidationBannerProps) {
  const { t } = useTranslation("pathology");
  return (
    <div className={styles["banner"]} role="status">
      <IconInfoCircle size={18} aria-hidden />
      <span className={styles["words"]}>{t("none")}</span>
      <Button size="compact-sm" variant="default" onClick={onOpen}>
        {t("open")}
      </Button>
      <Button size="compact-sm" variant="subtle" color="gray" className={styles["later"] ?? ""} onClick={onLater}>
        {t("later")}
      </Button>
    </div>
  );
}
