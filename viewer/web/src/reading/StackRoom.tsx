// The work on one series of slices: tools, picture, keys.

import { useEffect, useMemo, useState } from "react";
import type { StudyKey } from "../api/queries";
import type { Series } from "../api/types";
import { CINE_RATE_DEFAULT } from "../engine/cine";
import { presetsOf } from "../engine/presets";
import type { Stack } from "../engine/stacks";
import type { StackView } from "../engine/stackView";
import type { PrimaryTool } from "../engine/tools";
import styles from "./Reading.module.css";
import { ReadingKeys } from "./ReadingKeys";
import { StageNotice } from "./ReadingNotices";
import { Toolbar } from "./Toolbar";
import type { Loaded } from "./useStacks";
import { Viewport } from "./Viewport";

/** What a room can ask of the page around it, whatever it shows. */
export interface RoomProps {
  readonly study: StudyKey;
  readonly series: readonly Series[];
  readonly current: Series;
  readonly onSeries: (seriesInstanceUid: string) => void;
  readonly onBack: () => void;
  readonly onTrace: () => void;
  readonly helpOpened: boolean;
  readonly onHelp: (opened: boolean) => void;
}

export interface StackRoomProps extends RoomProps {
  readonly loaded: Loaded;
  readonly stack: Stack | undefined;
  readonly arriving: boolean;
}

const TOUCH = "(pointer: coarse)";

export function StackRoom({ loaded, stack, arriving, ...room }: StackRoomProps) {
  const { current } = room;
  const [view, setView] = useState<StackView>();
  const [tool, setTool] = useState<PrimaryTool>(() => (window.matchMedia(TOUCH).matches ? "scroll" : "windowLevel"));
  const [rate, setRate] = useState(CINE_RATE_DEFAULT);
  const frame = stack?.frames[0];
  const presets = useMemo(() => presetsOf(current.modality, frame?.rescale.type), [current, frame]);

  useEffect(() => view?.choose(tool), [view, tool]);
  useEffect(() => view?.setRate(rate), [view, rate]);
  useEffect(() => {
    if (frame) setRate(Math.round(frame.cineRate ?? CINE_RATE_DEFAULT));
  }, [frame]);

  return (
    <div className={styles["work"]}>
      {view && stack ? (
        <Toolbar view={view} tool={tool} onTool={setTool} presets={presets} rate={rate} onRate={setRate} />
      ) : (
        <div className={styles["toolbarPlace"]} />
      )}
      <div className={styles["stage"]}>
        <Viewport series={current} stack={stack} arriving={arriving} onView={setView} />
        <StageNotice loaded={loaded} series={current} />
      </div>
      <ReadingKeys {...room} view={view} presets={presets} onTool={setTool} />
    </div>
  );
}
