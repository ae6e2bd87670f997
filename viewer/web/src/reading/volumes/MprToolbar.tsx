// The tools of a reconstruction: what the left button does, the window, how thick the planes are, and the way back.

import {
  IconArrowsMaximize,
  IconArrowsMove,
  IconBrightness,
  IconContrastFilled,
  IconFocusCentered,
  IconRestore,
  IconStack2,
  IconZoomIn,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Preset } from "../../engine/frames/presets";
import type { SlabMode } from "../../engine/volumes/cut";
import { type Mpr, SLAB_MM_MAX } from "../../engine/volumes/mpr";
import type { MprTool } from "../../engine/volumes/mprHand";
import { formatNumber } from "../../ui/format";
import { usePreferences } from "../../ui/preferences";
import { OwnRows, PresetMenu } from "../toolbar/PresetMenu";
import { Tool } from "../toolbar/Tool";
import toolbarStyles from "../toolbar/Toolbar.module.css";
import { useStore } from "../useStore";
import styles from "./Mpr.module.css";

const TOOLS: readonly { readonly tool: MprTool; readonly key: string; readonly icon: ReactNode }[] = [
  { tool: "crosshair", key: "X", icon: <IconFocusCentered size={20} /> },
  { tool: "windowLevel", key: "W", icon: <IconBrightness size={20} /> },
  { tool: "pan", key: "P", icon: <IconArrowsMove size={20} /> },
  { tool: "zoom", key: "Z", icon: <IconZoomIn size={20} /> },
];

export const SLAB_MODES: readonly SlabMode[] = ["highest", "lowest", "average"];

export interface MprToolbarProps {
  readonly mpr: Mpr;
  readonly tool: MprTool;
  readonly onTool: (tool: MprTool) => void;
  readonly presets: readonly Preset[];
  readonly onFit: () => void;
  readonly onReset: () => void;
  readonly onLeave: () => void;
  /** More of them. */
  readonly children: ReactNode;
}

export function MprToolbar({ mpr, tool, onTool, presets, onFit, onReset, onLeave, children }: MprToolbarProps) {
  const { t } = useTranslation(["volumes", "reading"]);
  return (
    <div className={toolbarStyles["toolbar"]} role="toolbar" aria-label={t("reading:toolbar")}>
      <Tool
        label={t("leave")}
        short={t("leave")}
        hint="Shift+M"
        icon={<IconStack2 size={20} />}
        pressed={false}
        onClick={onLeave}
      />
      <span className={toolbarStyles["divider"]} />
      {TOOLS.map((one) => (
        <Tool
          key={one.tool}
          label={t(`tool.${one.tool}`)}
          short={t(`toolShort.${one.tool}`)}
          hint={one.key}
          icon={one.icon}
          pressed={one.tool === tool}
          onClick={() => onTool(one.tool)}
        />
      ))}
      <span className={toolbarStyles["divider"]} />
      <PresetMenu presets={presets} onPreset={(preset) => mpr.applyPreset(preset)}>
        <OwnOf mpr={mpr} />
      </PresetMenu>
      <Tool
        label={t("reading:invert")}
        hint="I"
        icon={<IconContrastFilled size={20} />}
        onClick={() => mpr.toggleInvert()}
      />
      <Tool label={t("reading:fit")} hint="F" icon={<IconArrowsMaximize size={20} />} onClick={onFit} />
      <Tool label={t("reading:reset")} hint="R" icon={<IconRestore size={20} />} onClick={onReset} />
      <span className={toolbarStyles["divider"]} />
      <SlabControls mpr={mpr} />
      {children}
    </div>
  );
}

function OwnOf({ mpr }: { readonly mpr: Mpr }) {
  const windows = useStore(mpr.brought, (brought) => brought.windows);
  return <OwnRows windows={windows} onOwn={() => mpr.showOwn()} onWindow={(window) => mpr.setWindow(window)} />;
}

function SlabControls({ mpr }: { readonly mpr: Mpr }) {
  const { t } = useTranslation("volumes");
  const language = usePreferences((preferences) => preferences.language);
  const { mode, thicknessMm } = useStore(mpr.state, (state) => state.slab);
  const said = thicknessMm > 0 ? t("thicknessValue", { value: formatNumber(thicknessMm, language) }) : t("slabThin");
  return (
    <span className={styles["slab"]}>
      <select
        aria-label={t("slab")}
        title={t("slab")}
        value={mode}
        onChange={(event) => {
          const chosen = SLAB_MODES.find((one) => one === event.currentTarget.value);
          if (chosen) mpr.setSlab({ mode: chosen });
        }}
      >
        {SLAB_MODES.map((one) => (
          <option key={one} value={one}>
            {t(`slabMode.${one}`)}
          </option>
        ))}
      </select>
      <input
        className={toolbarStyles["rate"]}
        type="range"
        min={0}
        max={SLAB_MM_MAX}
        step={1}
        value={thicknessMm}
        aria-label={t("thickness")}
        aria-valuetext={said}
        onChange={(event) => mpr.setSlab({ thicknessMm: Number(event.currentTarget.value) })}
      />
      <output>{said}</output>
    </span>
  );
}
