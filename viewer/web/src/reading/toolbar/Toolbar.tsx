// The tools as buttons; each has a key, so nobody has to come here.

import {
  IconArrowsMaximize,
  IconArrowsMove,
  IconBrightness,
  IconContrastFilled,
  IconFlipVertical,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconRestore,
  IconRotateClockwise2,
  IconStack2,
  IconTrash,
  IconZoomIn,
  IconZoomScan,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Preset } from "../../engine/frames/presets";
import { CINE_RATE_MAX, CINE_RATE_MIN } from "../../engine/stack/cine";
import { QUARTER } from "../../engine/stack/look";
import type { StackView } from "../../engine/stack/stackView";
import { type PrimaryTool, removeAllMarks } from "../../engine/stack/tools";
import { useStore } from "../useStore";
import { MeasureMenu } from "./MeasureMenu";
import { OwnRows, PresetMenu } from "./PresetMenu";
import { SizeMenu } from "./SizeMenu";
import { Tool } from "./Tool";
import styles from "./Toolbar.module.css";

type Plain = "windowLevel" | "scroll" | "pan" | "zoom" | "magnify";

const TOOLS: readonly { readonly tool: Plain; readonly key: string; readonly icon: ReactNode }[] = [
  { tool: "windowLevel", key: "W", icon: <IconBrightness size={20} /> },
  { tool: "scroll", key: "S", icon: <IconStack2 size={20} /> },
  { tool: "pan", key: "P", icon: <IconArrowsMove size={20} /> },
  { tool: "zoom", key: "Z", icon: <IconZoomIn size={20} /> },
  { tool: "magnify", key: "M", icon: <IconZoomScan size={20} /> },
];

export interface ToolbarProps {
  readonly view: StackView;
  readonly tool: PrimaryTool;
  readonly onTool: (tool: PrimaryTool) => void;
  readonly presets: readonly Preset[];
  readonly rate: number;
  readonly onRate: (rate: number) => void;
  /** More of them. */
  readonly children: ReactNode;
}

export function Toolbar({ view, tool, onTool, presets, rate, onRate, children }: ToolbarProps) {
  const { t } = useTranslation("reading");
  const scrollable = useStore(view.stack, (state) => state.count > 1);
  return (
    <div className={styles["toolbar"]} role="toolbar" aria-label={t("toolbar")}>
      {TOOLS.filter((one) => scrollable || one.tool !== "scroll").map((one) => (
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
      <MeasureMenu tool={tool} onTool={onTool} />
      <span className={styles["divider"]} />
      <PresetMenu presets={presets} onPreset={(preset) => view.look.applyPreset(preset)}>
        <OwnOf view={view} />
      </PresetMenu>
      <Tool
        label={t("invert")}
        hint="I"
        icon={<IconContrastFilled size={20} />}
        onClick={() => view.look.toggleInvert()}
      />
      <Tool label={t("fit")} hint="F" icon={<IconArrowsMaximize size={20} />} onClick={() => view.look.fit()} />
      <SizeMenu view={view} />
      <Tool
        label={t("turn")}
        hint="]"
        icon={<IconRotateClockwise2 size={20} />}
        onClick={() => view.look.turn(QUARTER)}
      />
      <Tool
        label={t("flip")}
        hint="J"
        icon={<IconFlipVertical size={20} />}
        onClick={() => view.look.flip("horizontal")}
      />
      <Tool label={t("reset")} hint="R" icon={<IconRestore size={20} />} onClick={() => view.look.reset()} />
      <Tool label={t("clearMarks")} hint="Shift+Del" icon={<IconTrash size={20} />} onClick={() => removeAllMarks()} />
      {children}
      {scrollable ? <CineControls view={view} rate={rate} onRate={onRate} /> : null}
    </div>
  );
}

/** Of the slice that the canvas holds. */
function OwnOf({ view }: { readonly view: StackView }) {
  // Read again on every slice.
  useStore(view.stack, (state) => state.shown);
  return (
    <OwnRows
      windows={view.look.ownWindows()}
      onOwn={() => view.look.showOwn()}
      onWindow={(window) => view.look.chooseWindow(window)}
    />
  );
}

function CineControls({ view, rate, onRate }: Pick<ToolbarProps, "view" | "rate" | "onRate">) {
  const { t } = useTranslation("reading");
  const playing = useStore(view.playing, (value) => value);
  return (
    <>
      <span className={styles["divider"]} />
      <Tool
        label={playing ? t("pause") : t("play")}
        hint="C"
        icon={playing ? <IconPlayerPauseFilled size={20} /> : <IconPlayerPlayFilled size={20} />}
        onClick={() => view.togglePlay()}
      />
      <input
        className={styles["rate"]}
        type="range"
        min={CINE_RATE_MIN}
        max={CINE_RATE_MAX}
        value={rate}
        aria-label={t("rate")}
        aria-valuetext={t("rateUnit", { count: rate })}
        onChange={(event) => onRate(Number(event.currentTarget.value))}
      />
      <span className={styles["rateText"]}>{t("rateUnit", { count: rate })}</span>
    </>
  );
}
