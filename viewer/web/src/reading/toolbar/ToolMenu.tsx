// A button of a toolbar that opens a menu, and the mark of a key in its rows.

import { Menu } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useKeyLabel } from "../../ui/keyScope";
import styles from "./Toolbar.module.css";

interface ToolMenuProps {
  readonly label: string;
  /** None: the icon alone. */
  readonly short?: string;
  readonly icon: ReactNode;
  readonly pressed?: boolean;
  /** The rows. */
  readonly children: ReactNode;
}

export function ToolMenu({ label, short, icon, pressed, children }: ToolMenuProps) {
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <button
          type="button"
          className={styles["tool"]}
          aria-label={label}
          title={short ? undefined : label}
          aria-pressed={pressed}
        >
          {icon}
          {short ? <span className={styles["short"]}>{short}</span> : null}
          <IconChevronDown size={14} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown className={styles["menu"]}>{children}</Menu.Dropdown>
    </Menu>
  );
}

export function KeyMark({ children }: { readonly children: string }) {
  return <kbd className={styles["key"]}>{useKeyLabel()(children)}</kbd>;
}
