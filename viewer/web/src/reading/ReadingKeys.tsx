// The keys of the reading page; ui/keyTable.ts tells them.

import type { Series } from "../api/types";
import type { Preset } from "../engine/frames/presets";
import { QUARTER } from "../engine/stack/look";
import type { StackView } from "../engine/stack/stackView";
import { type PrimaryTool, removeSelectedMarks } from "../engine/stack/tools";
import { type KeyTable, useKeys } from "../ui/hotkeys";
import { KeyHelp } from "../ui/KeyHelp";
import { measuredPixelMm } from "../ui/pixelSize";
import { stepSeries } from "./stepSeries";
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

export interface ReadingKeysProps {
  readonly view: StackView | undefined;
  readonly presets: readonly Preset[];
  readonly series: readonly Series[];
  readonly current: Series;
  readonly onSeries: (seriesInstanceUid: string) => void;
  readonly onTool: (tool: PrimaryTool) => void;
  readonly onLayout: () => void;
  readonly onLinked: () => void;
  readonly onHanging: () => void;
  readonly onReconstruct: () => void;
  readonly onHeader: () => void;
  readonly onSecond: () => void;
  readonly onPoint: () => void;
  readonly onLayers: () => void;
  readonly onBack: () => void;
  readonly onCase: (by: number) => void;
  readonly onTrace: () => void;
  readonly helpOpened: boolean;
  readonly onHelp: (opened: boolean) => void;
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
  const { view, presets, onTool, onLayout, onLinked, onHanging, onReconstruct, onHeader, onPoint, onLayers } = props;
  const { onSecond, onBack, onCase, onTrace, helpOpened, onHelp } = props;
  const presetKeys = view ? presets.map((preset) => [preset.key, () => view.look.applyPreset(preset)] as const) : [];
  const toolKeys = Object.entries(TOOL_KEYS).map(([key, tool]) => [key, () => onTool(tool)] as const);
  useKeys({
    ...(view ? viewKeys(view) : {}),
    ...Object.fromEntries(presetKeys),
    ...Object.fromEntries(toolKeys),
    ArrowLeft: () => stepSeries(props, -1),
    ArrowRight: () => stepSeries(props, 1),
    Delete: removeSelectedMarks,
    Backspace: removeSelectedMarks,
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
