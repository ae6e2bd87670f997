// The work on whole slides: tools, the slide, what is drawn on it, keys.

import { useState } from "react";
import readingStyles from "../Reading.module.css";
import type { RoomProps } from "../StackRoom";
import { MarkPanel } from "./MarkPanel";
import { SlideKeys } from "./SlideKeys";
import { SlidePlace } from "./SlidePlace";
import styles from "./SlideRoom.module.css";
import { SlideToolbar } from "./SlideToolbar";
import type { Bench } from "./useSlideView";

export function SlideRoom(room: RoomProps) {
  const { study, current } = room;
  const [bench, setBench] = useState<Bench>();
  const [listed, setListed] = useState(false);
  return (
    <div className={readingStyles["work"]}>
      {bench ? (
        <SlideToolbar bench={bench} listed={listed} onListed={setListed} />
      ) : (
        <div className={readingStyles["toolbarPlace"]} />
      )}
      <div className={styles["stage"]}>
        <SlidePlace key={current.seriesInstanceUID} study={study} series={current} onBench={setBench} />
        {bench && listed ? <MarkPanel bench={bench} /> : null}
      </div>
      <SlideKeys {...room} bench={bench} listed={listed} onListed={setListed} />
    </div>
  );
}
