// The table of the review's keys.

import { useTranslation } from "react-i18next";
import { KeyHelp } from "../ui/KeyHelp";

export function ReviewKeys({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  const { t } = useTranslation("review");
  const rows = [
    { keys: ["J", "K"], what: t("keys.instance") },
    { keys: ["PageDown", "PageUp"], what: t("keys.frame") },
    { keys: ["N"], what: t("keys.add") },
    { keys: ["↑", "↓", "←", "→"], what: t("keys.move") },
    { keys: ["Shift", "→"], what: t("keys.size") },
    { keys: ["Ctrl", "→"], what: t("keys.sizeFrom") },
    { keys: ["Delete"], what: t("keys.remove") },
    { keys: ["B"], what: t("keys.brighter") },
    { keys: [",", "."], what: t("keys.level") },
    { keys: ["[", "]"], what: t("keys.width") },
    { keys: ["0"], what: t("keys.plain") },
    { keys: ["Z"], what: t("keys.fullSize") },
    { keys: ["?"], what: t("keys.help") },
  ];
  return <KeyHelp opened={opened} onClose={onClose} title={t("keys.title")} groups={[{ rows }]} />;
}
