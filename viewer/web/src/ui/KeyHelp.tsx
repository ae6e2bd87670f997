// The table of keys, opened with a question mark.

import { Kbd, Modal } from "@mantine/core";
import { useTranslation } from "react-i18next";
import styles from "./KeyHelp.module.css";

interface KeyRow {
  readonly keys: readonly string[];
  readonly what: string;
}

interface KeyGroup {
  readonly title?: string;
  readonly rows: readonly KeyRow[];
}

export interface KeyHelpProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly groups: readonly KeyGroup[];
}

export function KeyHelp({ opened, onClose, title, groups }: KeyHelpProps) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size="lg"
      closeButtonProps={{ "aria-label": t("close") }}
      transitionProps={{ duration: 0 }}
    >
      {groups.map((group) => (
        <section key={group.title ?? "all"} className={styles["group"]}>
          {group.title ? <h3 className={styles["title"]}>{group.title}</h3> : null}
          <dl className={styles["rows"]}>
            {group.rows.map((row) => (
              <div key={row.what} className={styles["row"]}>
                <dt>
                  {row.keys.map((key) => (
                    <Kbd key={key}>{key}</Kbd>
                  ))}
                </dt>
                <dd>{row.what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Modal>
  );
}
