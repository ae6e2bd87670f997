// The table of keys, opened with a question mark. Where a person may change them, each is a button.

import { Button, Kbd, Modal } from "@mantine/core";
import { useContext, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { chordOf, chordOfLabel, conflicts, labelOf, rangeOf } from "./chords";
import styles from "./KeyHelp.module.css";
import { KeyScope, useRemap } from "./keyScope";
import { usePreferences } from "./preferences";

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

const HOLDERS: ReadonlySet<string> = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph"]);

export function KeyHelp({ opened, onClose, title, groups }: KeyHelpProps) {
  const { t } = useTranslation();
  const scope = useContext(KeyScope);
  const remap = useRemap();
  const setKey = usePreferences((preferences) => preferences.setKey);
  const clearKeys = usePreferences((preferences) => preferences.clearKeys);
  const [asked, ask] = useState<string>();
  const labels = groups.flatMap((group) => group.rows.flatMap((row) => row.keys));
  const defaults = labels.flatMap((label) => [chordOfLabel(label) ?? [], rangeOf(label)].flat());
  const twice = conflicts(defaults, remap);

  useEffect(() => {
    if (asked === undefined) return undefined;
    const onKey = (event: KeyboardEvent) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (HOLDERS.has(event.key)) return;
      const chord = chordOf(event);
      if (event.key !== "Escape") setKey(scope, asked, chord === asked ? undefined : chord);
      ask(undefined);
    };
    window.addEventListener("keydown", onKey, { capture: true });
    return () => window.removeEventListener("keydown", onKey, { capture: true });
  }, [asked, scope, setKey]);

  const keyOf = (label: string, what: string) => {
    const key = chordOfLabel(label);
    if (scope === "" || key === undefined) return <Kbd key={label}>{label}</Kbd>;
    const now = labelOf(remap[key] ?? key);
    const conflict = twice.has(remap[key] ?? key);
    return (
      <button
        key={label}
        type="button"
        className={styles["change"]}
        data-conflict={conflict}
        data-changed={remap[key] !== undefined}
        aria-label={t("keysChange", { what, key: now })}
        onClick={() => ask(key)}
      >
        <Kbd>{asked === key ? t("keysPress") : now}</Kbd>
        {conflict ? <span className={styles["conflict"]}>{t("keysConflict")}</span> : null}
      </button>
    );
  };

  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size="lg"
      closeOnEscape={asked === undefined}
      closeButtonProps={{ "aria-label": t("close") }}
      transitionProps={{ duration: 0 }}
    >
      {scope === "" ? null : (
        <p className={styles["hint"]}>
          {t("keysHint")}
          {Object.keys(remap).length > 0 ? (
            <Button variant="subtle" size="compact-sm" onClick={() => clearKeys(scope)}>
              {t("keysReset")}
            </Button>
          ) : null}
        </p>
      )}
      {groups.map((group) => (
        <section key={group.title ?? "all"} className={styles["group"]}>
          {group.title ? <h3 className={styles["title"]}>{group.title}</h3> : null}
          <dl className={styles["rows"]}>
            {group.rows.map((row) => (
              <div key={row.what} className={styles["row"]}>
                <dt>{row.keys.map((label) => keyOf(label, row.what))}</dt>
                <dd>{row.what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Modal>
  );
}
