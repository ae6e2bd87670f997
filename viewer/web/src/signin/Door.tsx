// The frame around signing in: the node's name, one card, the switches and the notice.

import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Mark } from "../ui/Mark";
import { LanguageToggle, SchemeToggle } from "../ui/Toggles";
import styles from "./Door.module.css";

export interface DoorProps {
  readonly nodeName: string;
  readonly title: string;
  readonly children: ReactNode;
}

export function Door({ nodeName, title, children }: DoorProps) {
  const { t } = useTranslation();
  return (
    <div className={styles["door"]}>
      <div className={styles["switches"]}>
        <LanguageToggle />
        <SchemeToggle area="lists" />
      </div>
      <main className={styles["card"]}>
        <header className={styles["header"]}>
          <Mark size={44} />
          <div>
            <p className={styles["product"]}>{t("product")}</p>
            <p className={styles["tagline"]}>{nodeName && nodeName !== t("product") ? nodeName : t("tagline")}</p>
          </div>
        </header>
        <h1 className={styles["title"]}>{title}</h1>
        {children}
      </main>
      <p className={styles["notice"]}>{t("notDiagnostic")}</p>
    </div>
  );
}
