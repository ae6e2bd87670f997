// A bar over the pictures: what a reader is told, and what can be done about it.

import type { ReactNode } from "react";
import styles from "./Bar.module.css";

export interface BarProps {
  readonly icon: ReactNode;
  readonly role: "status" | "alert";
  readonly children: ReactNode;
}

export function Bar({ icon, role, children }: BarProps) {
  return (
    <div className={styles["bar"]} role={role}>
      {icon}
      {children}
    </div>
  );
}
