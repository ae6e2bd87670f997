// Said when the browser did not let the second window open.

import { IconWindowOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Bar } from "../Bar";
import { useStore } from "../useStore";
import { blocked } from "./pair";

export function SecondBar() {
  const { t } = useTranslation("reading");
  if (!useStore(blocked, (value) => value)) return null;
  return (
    <Bar icon={<IconWindowOff size={18} aria-hidden />} role="alert">
      <span>{t("second.blocked")}</span>
    </Bar>
  );
}
