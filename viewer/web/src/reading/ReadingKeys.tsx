// The keys of the reading page; ui/keyTable.ts tells them.

import type { Preset } from "../engine/frames/presets";
import { rateBeside } from "../engine/stack/cine";
import { QUARTER } from "../engine/stack/look";
import type { StackView } from "../engine/stack/stackView";
import { type PrimaryTool, removeAllMarks, removeSelectedMarks } from "../engine/stack/tools";
import { type KeyTable, useKeys } from "../ui/hotkeys";
import { KeyHelp } from "../ui/KeyHelp";
import { measuredPixelMm } from "../ui/pixelSize";
import type { StackRoomProps } from "./StackRoom";
import { stepStack } from "./stepSeries";
import { MEASURE_KEYS } from "./toolbar/MeasureMenu";

const JUMP = 10;
const TOOL_KEYS: Readonly<Record<string, PrimaryTool>> = {
  w: "windowLevel",
  s: "scroll",
  p: "pan",
  z: "zoom",
  m: "magnify",
  ...MEASURE_KEYS,
  Escape: "windowLevel",
};

export interface ReadingKeysProps extends StackRoomProps {
  readonly view: StackView | undefined;
  readonly presets: readonly Preset[];
  readonly rate: number;
  readonly onRate: (rate: number) => void;
  readonly onTool: (tool: PrimaryTool) => void;
  readonly onLayout: () => void;
  /** Work in the picture so many places further. */
  readonly onPane: (by: number) => void;
  readonly onLinked: () => void;
  readonly onHanging: () => void;
  readonly onReconstruct: () => void;
  readonly onHeader: () => void;
  readonly onPoint: () => void;
  readonly onLayers: () => void;
}

function viewKeys(view: StackView): KeyTable {
  return {
    ArrowUp: () => view.step(-1),
    ArrowDown: () => view.step(1),
    PageUp: () => view.step(-JUMP),
    PageDown: () => view.step(JUMP),
    Home: () => view.goTo(0),
    End: () => view.goTo(view.stack.get().count - 1),
    i: () => view.look.toggleInvert(),
    f: () => view.look.fit(),
    o: () => view.look.oneToOne(),
    Z: () => view.look.showTrueSize(measuredPixelMm()),
    r: () => view.look.reset(),
    ";": () => view.look.nextWindow(),
    "]": () => view.look.turn(QUARTER),
    "[": () => view.look.turn(-QUARTER),
    j: () => view.look.flip("horizontal"),
    u: () => view.look.flip("vertical"),
    c: () => view.togglePlay(),
    "+": () => view.look.zoomBy(1.2),
    "-": () => view.look.zoomBy(1 / 1.2),
  };
}

export function ReadingKeys(props: ReadingKeysProps) {
  const {
    view,
    presets,
    rate,
    onRate,
    onTool,
    onLayout,
    onPane,
    onLinked,
    onHanging,
    onReconstruct,
    onHeader,
    onPoint,
    onLayers,
  } = props;
  const { onSecond, onBack, onCase, onTrace, helpOpened, onHelp } = props;
  const presetKeys = view ? presets.map((preset) => [preset.key, () => view.look.applyPreset(preset)] as const) : [];
  const toolKeys = Object.entries(TOOL_KEYS).map(([key, tool]) => [key, () => onTool(tool)] as const);
  useKeys({
    ...(view ? viewKeys(view) : {}),
    ...Object.fromEntries(presetKeys),
    ...Object.fromEntries(toolKeys),
    ArrowLeft: () => stepStack(props, -1),
    ArrowRight: () => stepStack(props, 1),
    "Shift+ArrowLeft": () => onPane(-1),
    "Shift+ArrowRight": () => onPane(1),
    "<": () => onRate(rateBeside(rate, -1)),
    ">": () => onRate(rateBeside(rate, 1)),
    Delete: removeSelectedMarks,
    Backspace: removeSelectedMarks,
    "Shift+Delete": removeAllMarks,
    d: onLayout,
    y: onLinked,
    D: onHanging,
    M: onReconstruct,
    T: onHeader,
    W: onSecond,
    ".": onPoint,
    F8: () => onCase(-1),
    F9: () => onCase(1),
    O: onLayers,
    q: onBack,
    t: onTrace,
    "?": () => onHelp(true),
  });

  return <KeyHelp opened={helpOpened} onClose={() => onHelp(false)} />;
}
