// What stands beside the slide, and whether two slides move as one.

import { Menu } from "@mantine/core";
import { IconColumns2, IconLink, IconLinkOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { StudyKey } from "../../api/queries";
import type { Series } from "../../api/types";
import { formatDicomDay } from "../../ui/format";
import { Tool } from "../toolbar/Tool";
import toolbarStyles from "../toolbar/Toolbar.module.css";
import type { Companions } from "./companions";
import { useGlassTitles } from "./useGlassTitle";

export interface Comparison {
  readonly study: StudyKey;
  readonly companions: Companions;
  /** Another slide. */
  readonly beside: Series | undefined;
  /** Whatever stands beside: a series, or another study. */
  readonly besideUid: string | undefined;
  readonly onBeside: (seriesInstanceUid: string | undefined) => void;
  readonly linked: boolean;
  readonly onLinked: (linked: boolean) => void;
}

export function Comparing({ study, companions, beside, besideUid, onBeside, linked, onLinked }: Comparison) {
  const { t } = useTranslation("slides");
  const titles = useGlassTitles(study, companions.slides);
  return (
    <>
      <Menu position="bottom-start" transitionProps={{ duration: 0 }}>
        <Menu.Target>
          <button type="button" className={toolbarStyles["tool"]} aria-label={t("beside")} aria-pressed={!!besideUid}>
            <IconColumns2 size={20} />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {companions.slides.map((one, index) => (
            <Menu.Item key={one.seriesInstanceUID} onClick={() => onBeside(one.seriesInstanceUID)}>
              {titles[index]}
            </Menu.Item>
          ))}
          {companions.images.map((one) => (
            <Menu.Item key={one.seriesInstanceUID} onClick={() => onBeside(one.seriesInstanceUID)}>
              {`${one.modality} ${one.description || (one.number ?? "")}`}
            </Menu.Item>
          ))}
          {companions.others.map((one) => (
            <Menu.Item key={one.studyInstanceUID} onClick={() => onBeside(one.studyInstanceUID)}>
              {`${formatDicomDay(one.studyDate)} · ${one.modalities.join(", ")} ${one.studyDescription}`}
            </Menu.Item>
          ))}
          <Menu.Item disabled={!besideUid} onClick={() => onBeside(undefined)}>
            {t("besideNone")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {beside ? (
        <Tool
          label={t("linked")}
          hint="J"
          icon={linked ? <IconLink size={20} /> : <IconLinkOff size={20} />}
          pressed={linked}
          onClick={() => onLinked(!linked)}
        />
      ) : null}
    </>
  );
}
