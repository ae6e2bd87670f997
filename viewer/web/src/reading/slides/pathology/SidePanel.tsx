// A panel beside the slide to write in: the slide stays in sight, and keys go to the panel only while one types there.

import { IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "../../../ui/IconButton";
import styles from "./SidePanel.module.css";

export interface SidePanelProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function SidePanel({ title, onClose, children }: SidePanelProps) {
  const { t } = useTranslation("pathology");
  return (
    <aside className={styles["panel"]} aria-label={title}>
      <header className={styles["head"]}>
        <h2 className={styles["title"]}>{title}</h2>
        <IconButton label={t("close")} icon={<IconX size={20} />} onClick={onClose} />
      </header>
      <div className={styles["body"]}>{children}</div>
    </aside>
  );
}
