// The keys of a slide; ui/keyTable.ts tells them.

import { nativePower } from "../../engine/slides/geometry";
import { pathAfter, planeBeside } from "../../engine/slides/slide";
import type { SlideView } from "../../engine/slides/slideView";
import type { StackView } from "../../engine/stack/stackView";
import { type KeyTable, useKeys } from "../../ui/hotkeys";
import { KeyHelp } from "../../ui/KeyHelp";
import type { RoomProps } from "../StackRoom";
import { stepSeries } from "../stepSeries";
import type { Comparison } from "./Comparing";
import { nextOf } from "./companions";
import { imageKeys } from "./ImagesBeside";
import { MARK_TOOLS } from "./MarkTools";
import { POWERS, powerBeside } from "./powers";
import { useGamepad } from "./useGamepad";
import type { Bench } from "./useSlideView";

/** Part of the screen that an arrow key moves by. */
const STEP = 0.15;
const ZOOM = 1.4;

export interface SlideKeysProps extends RoomProps {
  readonly bench: Bench | undefined;
  readonly listed: boolean;
  readonly onListed: (listed: boolean) => void;
  readonly onSave: () => void;
  readonly onGrouped: () => void;
  readonly onSegments: () => void;
  readonly onAllSegments: () => void;
  readonly onForm: () => void;
  readonly onLabel: () => void;
  readonly onHeader: () => void;
  readonly comparing: Comparison;
  /** The images beside, while they are worked with. */
  readonly images: StackView | undefined;
}

function markKeys({ tool, marks }: Bench): KeyTable {
  const take = MARK_TOOLS.map((one) => [one.key.toLowerCase(), () => tool.choose(one.tool)] as const);
  return {
    ...Object.fromEntries(take),
    Enter: () => tool.end(),
    Escape: () => (tool.draft.get() ? tool.cancel() : tool.choose("pan")),
    Delete: () => marks.removeSelected(),
    Backspace: () => marks.removeSelected(),
  };
}

function layerKeys(view: SlideView): KeyTable {
  const { slide, layer } = view;
  const focus = (steps: number) => {
    const { focalPlane } = layer.get();
    const next = planeBeside(slide, focalPlane, steps);
    if (next !== focalPlane) view.show({ focalPlane: next });
  };
  return {
    PageUp: () => focus(1),
    PageDown: () => focus(-1),
    o: () => {
      if (slide.opticalPaths.length > 1) view.show({ opticalPath: pathAfter(slide, layer.get().opticalPath) });
    },
    p: () => {
      if (slide.hasIcc) view.show({ managed: !layer.get().managed });
    },
  };
}

function viewKeys(view: SlideView): KeyTable {
  return {
    ArrowLeft: () => view.panBy(-STEP, 0),
    ArrowRight: () => view.panBy(STEP, 0),
    ArrowUp: () => view.panBy(0, -STEP),
    ArrowDown: () => view.panBy(0, STEP),
    n: () => view.walk(1),
    N: () => view.walk(-1),
    "+": () => view.zoomBy(ZOOM),
    "=": () => view.zoomBy(ZOOM),
    "-": () => view.zoomBy(1 / ZOOM),
    "0": () => view.oneToOne(),
    f: () => view.reset(),
    Home: () => view.reset(),
    r: () => view.rotateBy(90),
    R: () => view.rotateBy(-90),
    m: () => view.mirror(),
    ...Object.fromEntries(POWERS.map(({ key, power }) => [key, () => view.magnify(power)])),
    ...layerKeys(view),
  };
}

/** A gamepad's buttons are keys of their own. */
function padKeys({ view, marks }: Bench): KeyTable {
  const turret = (by: 1 | -1) => {
    const native = nativePower(view.slide);
    const power = native && powerBeside(native * view.target().zoom, by);
    if (power) view.magnify(power);
  };
  return {
    "Pad A": () => marks.add("point", [view.target().center]),
    "Pad X": () => marks.removeSelected(),
    "Pad Y": () => view.reset(),
    "Pad ↑": () => turret(1),
    "Pad ↓": () => turret(-1),
    "Pad →": () => view.walk(1),
    "Pad ←": () => view.walk(-1),
  };
}

export function SlideKeys(props: SlideKeysProps) {
  const {
    bench,
    listed,
    onListed,
    onGrouped,
    onSegments,
    onAllSegments,
    onSave,
    onForm,
    onLabel,
    onHeader,
    comparing,
    images,
    current,
    onBack,
    onTrace,
    helpOpened,
    onHelp,
  } = props;
  useGamepad(bench?.view);
  useKeys({
    ...(bench ? { ...viewKeys(bench.view), ...markKeys(bench), ...padKeys(bench) } : {}),
    "Pad LB": () => stepSeries(props, -1),
    "Pad RB": () => stepSeries(props, 1),
    "Pad B": () => onListed(!listed),
    ...(images ? imageKeys(images) : {}),
    k: () => onListed(!listed),
    "Ctrl+s": onSave,
    b: onGrouped,
    s: onSegments,
    O: onAllSegments,
    y: onForm,
    i: onLabel,
    v: () => comparing.onBeside(comparing.besideUid ? undefined : nextOf(comparing.companions, current)),
    j: () => comparing.onLinked(!comparing.linked),
    "[": () => stepSeries(props, -1),
    "]": () => stepSeries(props, 1),
    F8: () => props.onCase(-1),
    F9: () => props.onCase(1),
    q: onBack,
    T: onHeader,
    W: props.onSecond,
    t: onTrace,
    "?": () => onHelp(true),
  });

  return <KeyHelp opened={helpOpened} onClose={() => onHelp(false)} />;
}
