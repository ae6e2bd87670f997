// The menu of windows: those that the image brings along, then those for its modality.

import { Menu } from "@mantine/core";
import { IconAdjustmentsHorizontal } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ImageWindow, OwnWindows } from "../../engine/frames/imageWindows";
import type { Preset } from "../../engine/frames/presets";
import type { VoiWindow } from "../../engine/frames/windowing";
import { usePreferences } from "../../ui/preferences";
import { greyWords } from "../shown/captionOf";
import styles from "./Toolbar.module.css";
import { KeyMark, ToolMenu } from "./ToolMenu";

const OWN_KEY = "0";
const NEXT_KEY = ";";

interface PresetMenuProps {
  readonly presets: readonly Preset[];
  readonly onPreset: (preset: Preset) => void;
  /** The image's own, read while the menu is open: they may be others on every slice. */
  readonly children: ReactNode;
}

export function PresetMenu({ presets, onPreset, children }: PresetMenuProps) {
  const { t } = useTranslation("reading");
  return (
    <ToolMenu label={t("presets")} short={t("presets")} icon={<IconAdjustmentsHorizontal size={20} />}>
      {children}
      {presets
        .filter(({ name }) => name !== "own")
        .map((preset) => (
          <Menu.Item
            key={preset.key}
            leftSection={<KeyMark>{preset.key}</KeyMark>}
            rightSection={preset.fixed ? <Values window={preset.fixed} /> : null}
            onClick={() => onPreset(preset)}
          >
            {t(`preset.${preset.name}`)}
          </Menu.Item>
        ))}
    </ToolMenu>
  );
}

interface OwnRowsProps {
  readonly windows: OwnWindows;
  readonly onOwn: () => void;
  readonly onWindow: (window: VoiWindow) => void;
}

/** What the image is opened with, and its other windows. */
export function OwnRows({ windows: { opening, others }, onOwn, onWindow }: OwnRowsProps) {
  const { t } = useTranslation("reading");
  const isOneOfSeveral = opening && others.length > 0;
  return (
    <>
      <Menu.Item
        leftSection={<KeyMark>{OWN_KEY}</KeyMark>}
        rightSection={isOneOfSeveral ? <Values window={opening.window} /> : null}
        onClick={onOwn}
      >
        {isOneOfSeveral && opening.explanation ? `${t("preset.own")}: ${opening.explanation}` : t("preset.own")}
      </Menu.Item>
      {others.map((one, index) => (
        <OtherRow key={keyOf(one)} one={one} isNext={index === 0} onWindow={onWindow} />
      ))}
    </>
  );
}

interface OtherRowProps {
  readonly one: ImageWindow;
  readonly isNext: boolean;
  readonly onWindow: (window: VoiWindow) => void;
}

/** By its numbers where the image gives it no name. */
function OtherRow({ one: { window, explanation }, isNext, onWindow }: OtherRowProps) {
  const { t } = useTranslation("reading");
  const language = usePreferences((preferences) => preferences.language);
  return (
    <Menu.Item
      leftSection={isNext ? <KeyMark>{NEXT_KEY}</KeyMark> : <span className={styles["key"]} data-none />}
      rightSection={explanation ? <Values window={window} /> : null}
      onClick={() => onWindow(window)}
    >
      {explanation || greyWords({ window, byLookup: false }, language, t)}
    </Menu.Item>
  );
}

function Values({ window }: { readonly window: VoiWindow }) {
  const { t } = useTranslation("reading");
  const language = usePreferences((preferences) => preferences.language);
  return <span className={styles["values"]}>{greyWords({ window, byLookup: false }, language, t)}</span>;
}

function keyOf({ window: { center, width } }: ImageWindow): string {
  return `${center} ${width}`;
}
