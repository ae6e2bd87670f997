// The work on whole slides: tools, one slide or two side by side, what is drawn on them, keys.

import { useEffect, useState } from "react";
import readingStyles from "../Reading.module.css";
import type { RoomProps } from "../StackRoom";
import type { Leaving } from "../useLeaving";
import { MarkPanel } from "./MarkPanel";
import { SlideKeys } from "./SlideKeys";
import { SlidePlace } from "./SlidePlace";
import styles from "./SlideRoom.module.css";
import { SlideToolbar } from "./SlideToolbar";
import { isSlide } from "./series";
import { unsavedOf, useKeptMarks } from "./useKeptMarks";
import { useLinkedSlides } from "./useLinkedSlides";
import type { Bench } from "./useSlideView";

export interface SlideRoomProps extends RoomProps {
  readonly leaving: Leaving;
}

export function SlideRoom({ leaving, ...room }: SlideRoomProps) {
  const { study, series, current } = room;
  const [first, setFirst] = useState<Bench>();
  const [second, setSecond] = useState<Bench>();
  const [besideUid, setBeside] = useState<string>();
  const [linked, setLinked] = useState(true);
  const [atSecond, setAtSecond] = useState(false);
  const [listed, setListed] = useState(false);
  const slides = series.filter(isSlide);
  const beside = slides.find((one) => one.seriesInstanceUID === besideUid);
  const bench = beside && atSecond ? second : first;
  const keptFirst = useKeptMarks(study, current.seriesInstanceUID, first);
  const keptSecond = useKeptMarks(study, besideUid ?? "", beside ? second : undefined);
  const kept = bench === first ? keptFirst : keptSecond;
  const onBeside = (uid: string | undefined) => {
    if (keptSecond.unsaved) leaving.leave(() => setBeside(uid));
    else setBeside(uid);
  };
  const comparing = { slides, beside, onBeside, linked, onLinked: setLinked };

  useLinkedSlides(first?.view, second?.view, linked);
  useEffect(() => {
    leaving.hold(unsavedOf([keptFirst, keptSecond]));
    return () => leaving.hold(undefined);
  });

  return (
    <div className={readingStyles["work"]}>
      {bench ? (
        <SlideToolbar bench={bench} listed={listed} onListed={setListed} comparing={comparing} />
      ) : (
        <div className={readingStyles["toolbarPlace"]} />
      )}
      <div className={styles["stage"]}>
        <SlidePlace
          key={current.seriesInstanceUID}
          study={study}
          series={current}
          active={beside ? !atSecond : undefined}
          onActive={() => setAtSecond(false)}
          onBench={setFirst}
        />
        {beside ? (
          <SlidePlace
            key={`beside ${beside.seriesInstanceUID}`}
            study={study}
            series={beside}
            active={atSecond}
            onActive={() => setAtSecond(true)}
            onBench={setSecond}
          />
        ) : null}
        {bench && listed ? <MarkPanel bench={bench} kept={kept} /> : null}
      </div>
      <SlideKeys {...room} bench={bench} listed={listed} onListed={setListed} comparing={comparing} />
    </div>
  );
}
