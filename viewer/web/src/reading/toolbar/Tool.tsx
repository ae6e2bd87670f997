// A button of a toolbar: what it does, its key, and whether it is on.

import { Tooltip } from "@mantine/core";
import type { ReactNode } from "react";
import { useKeyLabel } from "../../ui/keyScope";
import styles from "./Toolbar.module.css";

interface ToolProps {
  readonly label: string;
  readonly short?: string;
  readonly hint?: string;
  readonly icon: ReactNode;
  readonly pressed?: boolean;
  readonly disabled?: boolean;
  readonly onClick: () => void;
}

export function Tool({ label, short, hint: standard, icon, pressed, disabled, onClick }: ToolProps) {
  const written = useKeyLabel();
  const hint = standard && written(standard);
  return (
    <Tooltip label={hint ? `${label} (${hint})` : label}>
      <button
        type="button"
        className={styles["tool"]}
        aria-label={label}
        aria-pressed={pressed}
        aria-keyshortcuts={hint}
        disabled={disabled}
        onClick={onClick}
      >
        {icon}
        {short ? <span className={styles["shortTool"]}>{short}</span> : null}
      </button>
    </Tooltip>
  );
}
