// The keys of the reading page, and the table that tells them.

import { useTranslation } from "react-i18next";
import type { Series } from "../api/types";
import type { Preset } from "../engine/frames/presets";
import { QUARTER } from "../engine/stack/look";
import type { StackView } from "../engine/stack/stackView";
import { type PrimaryTool, removeSelectedMarks } from "../engine/stack/tools";
import { type KeyTable, useKeys } from "../ui/hotkeys";
import { KeyHelp } from "../ui/KeyHelp";
import { CHOOSE_KEY, LIST_KEY } from "./findings/FindingsOfRoom";
import { TAKE_KEY } from "./shown/TakePicture";
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
  const { t } = useTranslation(["reading", "header", "common", "volumes", "findings", "shown"]);
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

  const mouse = [
    { keys: [t("keys.wheel")], what: t("keys.step") },
    { keys: [t("keys.left")], what: t("keys.primary") },
    { keys: [t("keys.right")], what: t("tool.zoom") },
    { keys: [t("keys.middle")], what: t("tool.pan") },
    { keys: [t("keys.oneFinger")], what: `${t("keys.touch")}: ${t("keys.primary")}` },
    { keys: [t("keys.twoFingers")], what: t("keys.zoomPan") },
  ];
  const keyboard = [
    { keys: ["↑", "↓"], what: t("keys.step") },
    { keys: ["PgUp", "PgDn"], what: t("keys.jump") },
    { keys: ["Home", "End"], what: t("keys.ends") },
    { keys: ["←", "→"], what: t("keys.series") },
    { keys: ["W"], what: t("tool.windowLevel") },
    { keys: ["S"], what: t("tool.scroll") },
    { keys: ["P"], what: t("tool.pan") },
    { keys: ["Z", "+", "−"], what: t("tool.zoom") },
    { keys: ["M"], what: t("tool.magnify") },
    ...Object.entries(MEASURE_KEYS).map(([key, tool]) => ({ keys: [key.toUpperCase()], what: t(`tool.${tool}`) })),
    { keys: ["Del"], what: t("keys.delete") },
    { keys: [LIST_KEY], what: t("findings:keys.panel") },
    { keys: [CHOOSE_KEY.toUpperCase()], what: t("findings:keys.choose") },
    { keys: ["0–9"], what: t("keys.presets") },
    { keys: ["I"], what: t("invert") },
    { keys: ["F"], what: t("fit") },
    { keys: ["O"], what: t("oneToOne") },
    { keys: ["[", "]"], what: t("turn") },
    { keys: ["J"], what: t("flip") },
    { keys: ["U"], what: t("flipVertical") },
    { keys: ["R"], what: t("reset") },
    { keys: ["C"], what: t("play") },
    { keys: ["D"], what: t("layout.title") },
    { keys: ["⇧D"], what: t("hanging.next") },
    { keys: ["Y"], what: t("layout.link") },
    { keys: ["⇧O"], what: t("volumes:layersAll") },
    { keys: ["."], what: t("volumes:point") },
    { keys: ["⇧M"], what: t("volumes:mpr") },
    { keys: ["⇧T"], what: t("header:title") },
    { keys: [`⇧${TAKE_KEY}`], what: t("shown:take") },
    { keys: ["⇧W"], what: t("second.open") },
    { keys: ["T"], what: t("trace") },
    { keys: ["F8", "F9"], what: t("keys.case") },
    { keys: ["Q"], what: t("keys.back") },
    { keys: ["?"], what: t("keys.help") },
  ];
  return (
    <KeyHelp
      opened={helpOpened}
      onClose={() => onHelp(false)}
      title={t("keys.title")}
      groups={[
        { title: t("keys.mouse"), rows: mouse },
        { title: t("keys.keyboard"), rows: keyboard },
      ]}
    />
  );
}
