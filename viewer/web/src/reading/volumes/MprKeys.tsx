// The keys of a reconstruction; ui/keyTable.ts tells them.

import type { Preset } from "../../engine/frames/presets";
import type { Mpr } from "../../engine/volumes/mpr";
import type { MprTool } from "../../engine/volumes/mprHand";
import type { MprPane } from "../../engine/volumes/mprPane";
import type { PlaneName } from "../../engine/volumes/planes";
import { useKeys } from "../../ui/hotkeys";
import { KeyHelp } from "../../ui/KeyHelp";
import { SLAB_MODES } from "./MprToolbar";

const JUMP = 10;
const THICKER_MM = 5;
const ZOOM = 1.2;

export interface MprKeysProps {
  readonly mpr: Mpr;
  /** The one that keys work on. */
  readonly plane: PlaneName;
  readonly pane: MprPane | undefined;
  readonly presets: readonly Preset[];
  readonly onTool: (tool: MprTool) => void;
  readonly onFit: () => void;
  readonly onReset: () => void;
  readonly onLeave: () => void;
  readonly onSecond: () => void;
  readonly onCase: (by: number) => void;
  readonly onBack: () => void;
  readonly onTrace: () => void;
  readonly helpOpened: boolean;
  readonly onHelp: (opened: boolean) => void;
}

export function MprKeys({ mpr, plane, pane, presets, onTool, onFit, onReset, onLeave, ...room }: MprKeysProps) {
  const thicker = (mm: number) => mpr.setSlab({ thicknessMm: mpr.state.get().slab.thicknessMm + mm });
  const nextMode = () => {
    const at = SLAB_MODES.indexOf(mpr.state.get().slab.mode);
    mpr.setSlab({ mode: SLAB_MODES[(at + 1) % SLAB_MODES.length] ?? "highest" });
  };
  useKeys({
    ...Object.fromEntries(presets.map((preset) => [preset.key, () => mpr.applyPreset(preset)])),
    ArrowUp: () => mpr.step(plane, -1),
    ArrowDown: () => mpr.step(plane, 1),
    PageUp: () => mpr.step(plane, -JUMP),
    PageDown: () => mpr.step(plane, JUMP),
    x: () => onTool("crosshair"),
    w: () => onTool("windowLevel"),
    p: () => onTool("pan"),
    z: () => onTool("zoom"),
    Escape: () => onTool("crosshair"),
    "+": () => pane?.zoomBy(ZOOM),
    "-": () => pane?.zoomBy(1 / ZOOM),
    "[": () => mpr.turn(plane, -1),
    "]": () => mpr.turn(plane, 1),
    ",": () => thicker(-THICKER_MM),
    ".": () => thicker(THICKER_MM),
    "/": nextMode,
    ";": () => mpr.nextWindow(),
    i: () => mpr.toggleInvert(),
    f: onFit,
    r: onReset,
    M: onLeave,
    W: room.onSecond,
    F8: () => room.onCase(-1),
    F9: () => room.onCase(1),
    q: room.onBack,
    t: room.onTrace,
    "?": () => room.onHelp(true),
  });
  return <KeyHelp opened={room.helpOpened} onClose={() => room.onHelp(false)} />;
}
