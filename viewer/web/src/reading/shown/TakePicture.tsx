// The command that gives what is shown as a picture or a film, to who may take studies away.

import { Alert, Button, Modal } from "@mantine/core";
import { IconCamera } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { FILM_IMAGES_MAX, tellTaken } from "../../api/pictures";
import { type StudyKey, sessionQuery, studyQuery } from "../../api/queries";
import { ImageNotThere } from "../../engine/capture/filming";
import { createStore, type Store } from "../../engine/emitter";
import type { StackState, StackView } from "../../engine/stack/stackView";
import { useKeys } from "../../ui/hotkeys";
import { usePreferences } from "../../ui/preferences";
import { Tool } from "../toolbar/Tool";
import { useStore } from "../useStore";
import type { Subject } from "./subject";
import styles from "./TakePicture.module.css";
import { filmSeconds, NoEncoder, takeFilm, takePicture } from "./taking";

export const TAKE_KEY = "P";

type Kind = "picture" | "film";
type Trouble = "denied" | "offline" | "noEncoder" | "notThere" | "failed";

export interface TakePictureProps {
  readonly study: StudyKey;
  readonly subject: Subject;
  /** What a film can be taken of, too. */
  readonly film?: Filmed;
}

interface Filmed {
  readonly view: StackView;
  /** Images a second. */
  readonly rate: number;
  /** What is on the screen is gone through by a film, not looked at. */
  readonly onFilming: (filming: boolean) => void;
}

const NO_STACK: Store<StackState> = createStore<StackState>({ count: 0, wanted: 0, shown: undefined });

export function TakePicture(props: TakePictureProps) {
  const { t } = useTranslation("shown");
  const [opened, open] = useState(false);
  const may = useQuery(sessionQuery).data?.rights.includes("dicomweb:export") ?? false;
  useKeys(may ? { [TAKE_KEY]: () => open(true) } : {});
  if (!may) return null;
  return (
    <>
      <Tool label={t("take")} hint={`⇧${TAKE_KEY}`} icon={<IconCamera size={20} />} onClick={() => open(true)} />
      {opened ? <Dialog {...props} onClose={() => open(false)} /> : null}
    </>
  );
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof NoEncoder) return "noEncoder";
  return error instanceof ImageNotThere ? "notThere" : "failed";
}

function Dialog({ study, subject, film, onClose }: TakePictureProps & { readonly onClose: () => void }) {
  const { t } = useTranslation(["shown", "common"]);
  const language = usePreferences((preferences) => preferences.language);
  const listed = useQuery({ ...studyQuery(study), refetchInterval: false }).data;
  const count = useStore(film?.view.stack ?? NO_STACK, (state) => state.count);
  const [kind, setKind] = useState<Kind>("picture");
  const [marks, setMarks] = useState(true);
  const [named, setNamed] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>();
  const [taken, setTaken] = useState<number>();
  const stopping = useRef<AbortController>(undefined);
  const length = Math.min(count, FILM_IMAGES_MAX);
  const images = kind === "film" ? length : 1;
  useEffect(() => () => stopping.current?.abort(), []);

  const take = async () => {
    const instance = subject.instance();
    if (!instance) return;
    const abort = new AbortController();
    stopping.current = abort;
    setTrouble(undefined);
    setTaken(0);
    const told = await tellTaken(study, { kind, ...instance, images, named });
    try {
      if (!told.ok) {
        setTrouble(told.problem.kind === "denied" || told.problem.kind === "offline" ? told.problem.kind : "failed");
        return;
      }
      const shooting = { subject, marks, caption: () => subject.caption(named ? listed : undefined) };
      film?.onFilming(kind === "film");
      if (film && kind === "film") {
        const { view, rate } = film;
        await takeFilm(shooting, { view, rate, images, onProgress: setTaken, signal: abort.signal });
      } else await takePicture(shooting);
      onClose();
    } catch (error) {
      if (!abort.signal.aborted) setTrouble(troubleOf(error));
    } finally {
      film?.onFilming(false);
      setTaken(undefined);
    }
  };

  const busy = taken !== undefined;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("take")}
      closeOnClickOutside={!busy}
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ "aria-label": t("common:close") }}
    >
      <div className={styles["form"]}>
        <fieldset className={styles["kinds"]} disabled={busy}>
          <legend>{t("what")}</legend>
          {(["picture", "film"] as const).map((one) =>
            one === "film" && !(film && count > 1) ? null : (
              <label key={one}>
                <input type="radio" name="kind" checked={one === kind} onChange={() => setKind(one)} />
                {one === "film"
                  ? t("film", { images: length, seconds: filmSeconds(count, film?.rate ?? 1, language) })
                  : t(one)}
              </label>
            ),
          )}
        </fieldset>
        <label>
          <input type="checkbox" checked={marks} disabled={busy} onChange={() => setMarks(!marks)} />
          {t("marks")}
        </label>
        <label>
          <input type="checkbox" checked={named} disabled={busy} onChange={() => setNamed(!named)} />
          {t("named")}
        </label>
        {subject.burnedIn ? <Alert color="orange">{t("burnedIn")}</Alert> : null}
        <p className={styles["why"]}>{t("takeWhy")}</p>
        {trouble ? (
          <Alert color="red" role="alert">
            {t(`trouble.${trouble}`)}
          </Alert>
        ) : null}
        {busy && kind === "film" ? (
          <progress max={images} value={taken} aria-label={t("progress", { taken, images })} />
        ) : null}
        <div className={styles["buttons"]}>
          <Button variant="default" onClick={onClose}>
            {t("common:cancel")}
          </Button>
          <Button onClick={() => void take()} loading={busy} data-autofocus>
            {t("save")}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
