// The work on a stack as a volume: three planes through one point.

import { Button } from "@mantine/core";
import { IconCubeOff } from "@tabler/icons-react";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import type { StudyKey } from "../../api/queries";
import type { Vector } from "../../engine/frames/geometry";
import type { Stack } from "../../engine/frames/stacks";
import type { Built } from "../../engine/volumes/build";
import { whyNot } from "../../engine/volumes/build";
import type { MprTool } from "../../engine/volumes/mprHand";
import type { MprPane } from "../../engine/volumes/mprPane";
import { PLANE_NAMES, type PlaneName } from "../../engine/volumes/planes";
import { useKeys } from "../../ui/hotkeys";
import { Notice } from "../../ui/Notice";
import { useStore } from "../useStore";
import styles from "./Mpr.module.css";
import { MprKeys } from "./MprKeys";
import { MprPicture } from "./MprPicture";
import { MprToolbar } from "./MprToolbar";
import { TakeOfPlane } from "./TakeOfPlane";
import { useMpr } from "./useMpr";

export interface MprRoomProps {
  readonly study: StudyKey;
  readonly stack: Stack;
  /** Another one is another stack; a stack that grew keeps it. */
  readonly stackKey: string;
  /** The picture is of another study, whose name is not above. */
  readonly isPrior: boolean;
  readonly arriving: boolean;
  /** With the point that was looked at. */
  readonly onLeave: (point: Vector | undefined) => void;
  readonly onSecond: () => void;
  readonly onCase: (by: number) => void;
  readonly onBack: () => void;
  readonly onTrace: () => void;
  readonly helpOpened: boolean;
  readonly onHelp: (opened: boolean) => void;
}

export function MprRoom(props: MprRoomProps) {
  const { stack, stackKey, isPrior, onLeave } = props;
  const { t } = useTranslation("volumes");
  const refusal = isPrior ? "otherStudy" : whyNot(stack);
  const built = useMpr(refusal ? undefined : stack, stackKey);
  const leave = () => onLeave(undefined);
  const away = { M: leave, Escape: leave, q: props.onBack, F8: () => props.onCase(-1), F9: () => props.onCase(1) };
  useKeys(refusal ? away : {});
  if (refusal) {
    return (
      <Notice
        icon={<IconCubeOff size={48} stroke={1.5} />}
        title={t(`refused.${refusal}`)}
        action={<Button onClick={leave}>{t("leave")}</Button>}
      />
    );
  }
  return built ? <Planes {...props} built={built} /> : null;
}

function Planes({ built, stack, arriving, onLeave, ...room }: MprRoomProps & { readonly built: Built }) {
  const { t } = useTranslation("volumes");
  const { mpr, gathering } = built;
  const [tool, setTool] = useState<MprTool>("crosshair");
  const [active, setActive] = useState<PlaneName>("axial");
  const [panes, setPanes] = useState<Partial<Record<PlaneName, MprPane | undefined>>>({});
  const presets = useStore(mpr.brought, (brought) => brought.presets);
  const whole = useStore(gathering.progress, ({ count, here }) => here === count);
  const onPane = useCallback(
    (plane: PlaneName, pane: MprPane | undefined) => setPanes((before) => ({ ...before, [plane]: pane })),
    [],
  );
  const pane = panes[active];
  const fitAll = () => {
    for (const name of PLANE_NAMES) panes[name]?.fit();
  };
  const reset = () => {
    fitAll();
    mpr.reset();
  };
  const leave = () => onLeave(mpr.state.get().point);
  const work = { mpr, presets, onTool: setTool, onFit: fitAll, onReset: reset, onLeave: leave };
  return (
    <>
      <MprToolbar {...work} tool={tool}>
        {pane ? <TakeOfPlane study={room.study} built={built} stack={stack} pane={pane} /> : null}
      </MprToolbar>
      <section className={styles["planes"]} aria-label={t("mpr")} data-whole={whole}>
        {PLANE_NAMES.map((plane) => (
          <MprPicture
            key={plane}
            built={built}
            stack={stack}
            plane={plane}
            tool={tool}
            active={plane === active}
            arriving={arriving}
            onActivate={() => setActive(plane)}
            onPane={onPane}
          />
        ))}
      </section>
      <MprKeys {...room} {...work} plane={active} pane={pane} />
    </>
  );
}
