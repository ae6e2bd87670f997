// A full-area message: nothing here, nothing found, or what went wrong and what to do.

import type { ReactNode } from "react";
import styles from "./Notice.module.css";

export interface NoticeProps {
  readonly icon: ReactNode;
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
  /** Read out at once: for failures. */
  readonly urgent?: boolean;
}

export function Notice({ icon, title, children, action, urgent = false }: NoticeProps) {
  return (
    <div className={styles["notice"]} role={urgent ? "alert" : "status"}>
      <div className={styles["icon"]} aria-hidden>
        {icon}
      </div>
      <p className={styles["title"]}>{title}</p>
      {children ? <p className={styles["text"]}>{children}</p> : null}
      {action}
    </div>
  );
}
