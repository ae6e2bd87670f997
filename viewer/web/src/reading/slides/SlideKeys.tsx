// The keys of a slide, and the table that tells them.

import { useTranslation } from "react-i18next";
import { nativePower } from "../../engine/slides/geometry";
import { pathAfter, planeBeside } from "../../engine/slides/slide";
import type { SlideView } from "../../engine/slides/slideView";
import type { StackView } from "../../engine/stackView";
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
  readonly onGrouped: () => void;
  readonly onForm: () => void;
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
    onForm,
    comparing,
    images,
    current,
    onBack,
    onTrace,
    helpOpened,
    onHelp,
  } = props;
  const { t } = useTranslation(["slides", "reading", "pathology"]);
  useGamepad(bench?.view);
  useKeys({
    ...(bench ? { ...viewKeys(bench.view), ...markKeys(bench), ...padKeys(bench) } : {}),
    "Pad LB": () => stepSeries(props, -1),
    "Pad RB": () => stepSeries(props, 1),
    "Pad B": () => onListed(!listed),
    ...(images ? imageKeys(images) : {}),
    k: () => onListed(!listed),
    b: onGrouped,
    y: onForm,
    v: () => comparing.onBeside(comparing.besideUid ? undefined : nextOf(comparing.companions, current)),
    j: () => comparing.onLinked(!comparing.linked),
    "[": () => stepSeries(props, -1),
    "]": () => stepSeries(props, 1),
    F8: () => props.onCase(-1),
    F9: () => props.onCase(1),
    q: onBack,
    t: onTrace,
    "?": () => onHelp(true),
  });

  const mouse = [
    { keys: [t("reading:keys.wheel")], what: t("reading:tool.zoom") },
    { keys: [t("reading:keys.left")], what: t("reading:tool.pan") },
    { keys: [t("keys.doubleClick")], what: t("keys.nearer") },
    { keys: [t("reading:keys.oneFinger")], what: `${t("reading:keys.touch")}: ${t("reading:tool.pan")}` },
    { keys: [t("reading:keys.twoFingers")], what: t("reading:keys.zoomPan") },
  ];
  const keyboard = [
    { keys: ["←", "→", "↑", "↓"], what: t("reading:tool.pan") },
    { keys: ["N", "Shift+N"], what: t("keys.fields") },
    { keys: ["+", "−"], what: t("reading:tool.zoom") },
    { keys: ["1–6"], what: t("keys.objectives") },
    { keys: ["0"], what: t("oneToOne") },
    { keys: ["F", "Home"], what: t("home") },
    { keys: ["R", "Shift+R"], what: t("keys.rotate") },
    { keys: ["M"], what: t("mirror") },
    { keys: ["PgUp", "PgDn"], what: t("focus") },
    { keys: ["O"], what: t("opticalPath") },
    { keys: ["P"], what: t("profile") },
    ...MARK_TOOLS.map(({ tool, key }) => ({ keys: tool === "pan" ? [key, "Esc"] : [key], what: t(`tool.${tool}`) })),
    { keys: ["Del"], what: t("removeMark") },
    { keys: ["K"], what: t("marks") },
    { keys: ["B"], what: t("bulk.title") },
    { keys: ["Y"], what: t("pathology:formTitle") },
    { keys: ["V"], what: t("beside") },
    { keys: ["J"], what: t("linked") },
    { keys: ["[", "]"], what: t("keys.slides") },
    { keys: ["T"], what: t("reading:trace") },
    { keys: ["F8", "F9"], what: t("reading:keys.case") },
    { keys: ["Q"], what: t("reading:keys.back") },
    { keys: ["?"], what: t("reading:keys.help") },
  ];
  const pad = [
    { keys: [t("pad.sticks")], what: t("pad.pan") },
    { keys: [t("pad.triggers")], what: t("reading:tool.zoom") },
    { keys: ["Pad A"], what: t("pad.mark") },
    { keys: ["Pad X"], what: t("removeMark") },
    { keys: ["Pad B"], what: t("marks") },
    { keys: ["Pad Y"], what: t("home") },
    { keys: ["Pad LB", "Pad RB"], what: t("keys.slides") },
    { keys: ["Pad ↓", "Pad ↑"], what: t("keys.objectives") },
    { keys: ["Pad ←", "Pad →"], what: t("keys.fields") },
  ];
  return (
    <KeyHelp
      opened={helpOpened}
      onClose={() => onHelp(false)}
      title={t("reading:keys.title")}
      groups={[
        { title: t("reading:keys.mouse"), rows: mouse },
        { title: t("reading:keys.keyboard"), rows: keyboard },
        { title: t("pad.title"), rows: pad },
      ]}
    />
  );
}
