// The tables of keys, opened with a question mark at that of the room one is in. Each key is a button that changes it.

import { Button, Kbd, Modal, NativeSelect } from "@mantine/core";
import { type ReactNode, useContext, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { chordOf, conflicts, labelOf, type Remap } from "./chords";
import styles from "./KeyHelp.module.css";
import { KeyScope } from "./keyScope";
import { KEY_ROOMS, KEY_TABLE, type KeyRoom, keysOf } from "./keyTable";
import { usePreferences } from "./preferences";

export interface KeyHelpProps {
  readonly opened: boolean;
  readonly onClose: () => void;
}

const HOLDERS: ReadonlySet<string> = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph"]);
const UNCHANGED: Remap = {};

export function KeyHelp({ opened, onClose }: KeyHelpProps) {
  const { t } = useTranslation();
  const [asked, ask] = useState<string>();
  const here = useContext(KeyScope);
  if (here === "") return null;
  const close = () => {
    ask(undefined);
    onClose();
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t("keysTitle")}
      size="lg"
      closeOnEscape={asked === undefined}
      closeButtonProps={{ "aria-label": t("close") }}
      transitionProps={{ duration: 0 }}
    >
      <Tables here={here} asked={asked} ask={ask} />
    </Modal>
  );
}

interface Asking {
  /** The key that is being changed. */
  readonly asked: string | undefined;
  readonly ask: (key: string | undefined) => void;
}

function Tables({ here, asked, ask }: Asking & { readonly here: KeyRoom }) {
  const { t } = useTranslation();
  const [room, look] = useState(here);
  const remap = usePreferences((preferences) => preferences.keys[room]) ?? UNCHANGED;
  const setKey = usePreferences((preferences) => preferences.setKey);
  const clearKeys = usePreferences((preferences) => preferences.clearKeys);
  useEffect(() => {
    if (asked === undefined) return undefined;
    const onKey = (event: KeyboardEvent) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (HOLDERS.has(event.key)) return;
      const chord = chordOf(event);
      if (event.key !== "Escape") setKey(room, asked, chord === asked ? undefined : chord);
      ask(undefined);
    };
    window.addEventListener("keydown", onKey, { capture: true });
    return () => window.removeEventListener("keydown", onKey, { capture: true });
  }, [asked, ask, room, setKey]);
  return (
    <>
      <div className={styles["head"]}>
        <NativeSelect
          label={t("keysOf")}
          value={room}
          data={KEY_ROOMS.map((one) => ({ value: one, label: t(`keysRoom.${one}`) }))}
          onChange={(event) => {
            ask(undefined);
            const chosen = KEY_ROOMS.find((one) => one === event.currentTarget.value);
            if (chosen) look(chosen);
          }}
        />
        {Object.keys(remap).length > 0 ? (
          <Button variant="subtle" size="compact-sm" onClick={() => clearKeys(room)}>
            {t("keysReset")}
          </Button>
        ) : null}
      </div>
      <p className={styles["hint"]}>{t("keysHint")}</p>
      <Table room={room} remap={remap} asked={asked} ask={ask} />
    </>
  );
}

interface TableProps extends Asking {
  readonly room: KeyRoom;
  readonly remap: Remap;
}

function Table({ room, remap, asked, ask }: TableProps) {
  const { t } = useTranslation([
    "common",
    "worklist",
    "reading",
    "findings",
    "volumes",
    "header",
    "shown",
    "slides",
    "pathology",
    "review",
  ]);
  const twice = conflicts(keysOf(room), remap);
  const keyOf = (key: string, what: string): ReactNode => {
    const chosen = remap[key] ?? key;
    const isTwice = twice.has(chosen);
    return (
      <button
        key={key}
        type="button"
        className={styles["change"]}
        data-conflict={isTwice}
        data-changed={remap[key] !== undefined}
        aria-label={t("keysChange", { what, key: labelOf(chosen) })}
        onClick={() => ask(key)}
      >
        <Kbd>{asked === key ? t("keysPress") : labelOf(chosen)}</Kbd>
        {isTwice ? <span className={styles["conflict"]}>{t("keysConflict")}</span> : null}
      </button>
    );
  };
  return KEY_TABLE[room].map((group) => (
    <section key={"title" in group ? group.title : room} className={styles["group"]}>
      {"title" in group ? <h3 className={styles["title"]}>{t(group.title)}</h3> : null}
      <dl className={styles["rows"]}>
        {group.rows.map((row) => {
          const what = t(row.what);
          return (
            <div key={`${row.what} ${"keys" in row ? row.keys[0] : row.moves[0]}`} className={styles["row"]}>
              <dt>
                {"keys" in row
                  ? row.keys.map((key) => keyOf(key, what))
                  : row.moves.map((move) => <Kbd key={move}>{t(move)}</Kbd>)}
              </dt>
              <dd>{"before" in row ? `${t(row.before)}: ${what}` : what}</dd>
            </div>
          );
        })}
      </dl>
    </section>
  ));
}
