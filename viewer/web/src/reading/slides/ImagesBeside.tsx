// Images of the case beside a slide: a series of the study, or another study of the same person, in a pane as in the
// room of images. The tools stay the slide's; keys scroll and magnify the images while they are worked with.

import { useEffect, useMemo, useState } from "react";
import type { Series } from "../../api/types";
import type { StackView } from "../../engine/stack/stackView";
import type { KeyTable } from "../../ui/hotkeys";
import { Pane } from "../arrangement/Pane";
import type { PaneChoice } from "../arrangement/panes";
import { useShownKept } from "../shown/useShownKept";
import styles from "./SlidePlace.module.css";

const ZOOM = 1.25;
const JUMP = 10;

export interface ImagesBesideProps {
  readonly choice: PaneChoice;
  readonly series: readonly Series[];
  readonly active: boolean;
  readonly onActive: () => void;
  readonly onView: (view: StackView | undefined) => void;
}

export function ImagesBeside({ choice, series, active, onActive, onView }: ImagesBesideProps) {
  const [view, setView] = useState<StackView>();
  useEffect(() => view?.choose("windowLevel"), [view]);
  useEffect(() => onView(view), [view, onView]);
  const views = useMemo(() => [view], [view]);
  const panes = useMemo(() => [choice], [choice]);
  useShownKept(views, panes, false);
  return (
    <div className={styles["place"]} data-active={active} onPointerDownCapture={onActive}>
      <Pane choice={choice} series={series} arriving={false} active={undefined} onActivate={onActive} onView={setView}>
        {null}
      </Pane>
    </div>
  );
}

/** What keys do while the images are worked with; the others stay the slide's. */
export function imageKeys(view: StackView): KeyTable {
  return {
    ArrowUp: () => view.step(-1),
    ArrowDown: () => view.step(1),
    PageUp: () => view.step(-JUMP),
    PageDown: () => view.step(JUMP),
    "+": () => view.look.zoomBy(ZOOM),
    "=": () => view.look.zoomBy(ZOOM),
    "-": () => view.look.zoomBy(1 / ZOOM),
    f: () => view.look.reset(),
  };
}
