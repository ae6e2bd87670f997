// Tells a reader without a validation record that there is none; nobody is kept from reading by it.

import { Button } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ReaderValidation } from "../../../api/types";
import { Bar } from "../../Bar";
import styles from "./Validation.module.css";

export interface ValidationBannerProps {
  readonly standing: ReaderValidation["standing"] | null | undefined;
  readonly onOpen: () => void;
}

/** Nothing, where there is a record, and once it was put away. */
export function ValidationBanner({ standing, onOpen }: ValidationBannerProps) {
  const { t } = useTranslation("pathology");
  const [told, setTold] = useState(false);
  if (standing !== "none" || told) return null;
  return (
    <Bar icon={<IconInfoCircle size={18} aria-hidden />} role="status">
      <span>{t("none")}</span>
      <Button size="compact-sm" variant="default" onClick={onOpen}>
        {t("open")}
      </Button>
      <Button
        size="compact-sm"
        variant="subtle"
        color="gray"
        className={styles["later"] ?? ""}
        onClick={() => setTold(true)}
      >
        {t("later")}
      </Button>
    </Bar>
  );
}
