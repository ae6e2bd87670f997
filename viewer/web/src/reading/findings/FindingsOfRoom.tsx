// What readers leave behind, in the room of stacks: the marks of every study that is shown, the list, its key.

import { IconListCheck } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { StudyKey } from "../../api/queries";
import type { BookMark } from "../../engine/markBook";
import type { StackView } from "../../engine/stackView";
import { useKeys } from "../../ui/hotkeys";
import { Tool } from "../Tool";
import { FindingsPanel } from "./FindingsPanel";
import type { Findings } from "./findings";

export interface FindingsOfRoomProps {
  readonly findings: Findings | undefined;
  readonly study: StudyKey;
  /** Studies beside it, whose marks are shown and kept, too. */
  readonly priors: readonly StudyKey[];
  readonly view: StackView | undefined;
  readonly listed: boolean;
  readonly onListed: (listed: boolean) => void;
  readonly onSeries: (seriesInstanceUid: string) => void;
}

export const LIST_KEY = ",";

export function FindingsOfRoom(props: FindingsOfRoomProps) {
  const { findings, study, priors, view, listed, onListed, onSeries } = props;
  useEffect(() => {
    for (const one of [study, ...priors]) findings?.marksOf(one);
  });
  useKeys({ [LIST_KEY]: () => onListed(!listed) });
  const seek = useSeek(view, onSeries);
  if (!findings || !listed) return null;
  return <FindingsPanel marks={findings.marksOf(study)} onGo={seek} />;
}

/** Go to a mark's image: choose its series, and its slice as soon as it is there. */
function useSeek(view: StackView | undefined, onSeries: (uid: string) => void): (mark: BookMark) => void {
  const [sought, setSought] = useState<BookMark>();
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
  return (mark) => {
    setSought(mark);
    onSeries(mark.seriesInstanceUID);
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
