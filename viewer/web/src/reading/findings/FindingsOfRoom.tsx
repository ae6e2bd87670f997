// What readers leave behind, in the room of stacks: the marks of every study that is shown, the list, its key.

import { IconListCheck } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { seriesOf } from "../../api/dicomweb";
import type { StudyKey } from "../../api/queries";
import type { KeyImage, OthersMarksDocument } from "../../api/types";
import type { Frame } from "../../engine/frames/frame";
import type { Vector } from "../../engine/frames/geometry";
import { tierOf } from "../../engine/loading/frameStates";
import { isAlone } from "../../engine/loading/loader";
import { WHOLE } from "../../engine/loading/tiers";
import { sliceNear } from "../../engine/stack/pointing";
import type { StackView } from "../../engine/stack/stackView";
import { useKeys } from "../../ui/hotkeys";
import { Tool } from "../toolbar/Tool";
import { useStore } from "../useStore";
import { FindingsPanel } from "./FindingsPanel";
import styles from "./FindingsPanel.module.css";
import type { Findings } from "./findings";
import { OthersMarks } from "./OthersMarks";
import { isIn, type KeysOfStudy } from "./studyKeys";

export interface FindingsOfRoomProps {
  readonly findings: Findings | undefined;
  readonly study: StudyKey;
  /** Studies beside it, whose marks are shown and kept, too. */
  readonly priors: readonly StudyKey[];
  /** What other documents of the study draw. */
  readonly others: readonly OthersMarksDocument[];
  readonly view: StackView | undefined;
  readonly listed: boolean;
  readonly onListed: (listed: boolean) => void;
  /** Show the stack that an image is in. */
  readonly onImage: (image: KeyImage) => void;
}

export const LIST_KEY = ",";
export const CHOOSE_KEY = "k";
export const SAVE_KEY = "Ctrl+s";

export function FindingsOfRoom(props: FindingsOfRoomProps) {
  const { findings, study, priors, others, view, listed, onListed, onImage } = props;
  useEffect(() => {
    for (const one of [study, ...priors]) findings?.marksOf(one);
  });
  const choose = () => {
    const frame = view?.currentFrame();
    if (!view || !frame || !findings) return;
    const shown = shownBy(frame);
    if (tierOf(frame.imageId) !== WHOLE) view.measuringHeld.set(true);
    else
      findings
        .keysOf([study, ...priors].find((one) => one.studyInstanceUid === shown.study) ?? study)
        .toggle(imageOf(shown));
  };
  const save = () => {
    onListed(true); // it says whether that succeeded
    void findings?.save();
  };
  // Where a reconstruction stands before the pictures, its keys are the reconstruction's.
  useKeys(view ? { [LIST_KEY]: () => onListed(!listed), [CHOOSE_KEY]: choose, [SAVE_KEY]: save } : {});
  const seek = useSeek(view, onImage);
  const seekPlace = (frameOfReferenceUid: string, place: Vector) => {
    const frames = view?.allFrames() ?? [];
    const index = frames[0]?.frameOfReferenceUid === frameOfReferenceUid ? sliceNear(frames, place) : undefined;
    if (index !== undefined) view?.goTo(index);
  };
  if (!findings) return null;
  return (
    <>
      {view ? <KeyBadge view={view} keys={findings.keysOf(study)} /> : null}
      {listed ? (
        <FindingsPanel marks={findings.marksOf(study)} keys={findings.keysOf(study)} onGo={seek}>
          <OthersMarks documents={others} onGo={seek} onPlace={seekPlace} />
        </FindingsPanel>
      ) : null}
    </>
  );
}

/** Which image of which study a frame is; its address says it. */
function shownBy(frame: Frame): KeyImage & { readonly study: string } {
  const { study, series: seriesInstanceUID } = seriesOf(frame.url) ?? { study: "", series: "" };
  const frameNumber = isAlone(frame) ? null : frame.frameNumber;
  return { study, seriesInstanceUID, sopInstanceUID: frame.sopInstanceUid, frameNumber };
}

function imageOf({ seriesInstanceUID, sopInstanceUID, frameNumber }: KeyImage): KeyImage {
  return { seriesInstanceUID, sopInstanceUID, frameNumber };
}

/** Says that the image one looks at is a key image. */
function KeyBadge({ view, keys }: { readonly view: StackView; readonly keys: KeysOfStudy }) {
  const { t } = useTranslation("findings");
  const wanted = useStore(view.stack, (state) => state.wanted);
  const { images } = useStore(keys.choice, (value) => value);
  const others = useStore(keys.others, (value) => value);
  const frame = view.allFrames()[wanted];
  if (!frame) return null;
  const image = shownBy(frame);
  if (!isIn(images, image) && !others.some((other) => isIn(other.images, image))) return null;
  return (
    <span className={styles["badge"]} role="status">
      ★ {t("isKeyImage")}
    </span>
  );
}

/** Go to a mark's image: choose its stack, and its slice as soon as it is there. */
function useSeek(view: StackView | undefined, onImage: (image: KeyImage) => void): (image: KeyImage) => void {
  const [sought, setSought] = useState<KeyImage>();
  useEffect(() => {
    if (!view || !sought) return undefined;
    const look = () => {
      const index = view
        .allFrames()
        .findIndex(
          (one) => one.sopInstanceUid === sought.sopInstanceUID && one.frameNumber === (sought.frameNumber ?? 1),
        );
      if (index < 0) return;
      setSought(undefined);
      view.goTo(index);
    };
    look();
    return view.stack.subscribe(look);
  }, [view, sought]);
  return (image) => {
    setSought(image);
    onImage(image);
  };
}

interface FindingsButtonProps {
  readonly listed: boolean;
  readonly onListed: (listed: boolean) => void;
}

export function FindingsButton({ listed, onListed }: FindingsButtonProps) {
  const { t } = useTranslation("findings");
  return (
    <Tool
      label={t("button")}
      short={t("buttonShort")}
      hint={LIST_KEY}
      icon={<IconListCheck size={20} />}
      pressed={listed}
      onClick={() => onListed(!listed)}
    />
  );
}
