// Which slide stands beside the other, and whether they move as one.

import { Menu } from "@mantine/core";
import { IconColumns2, IconLink, IconLinkOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Series } from "../../api/types";
import { Tool } from "../Tool";
import toolbarStyles from "../Toolbar.module.css";
import { useSlideTitle } from "./useSlideTitle";

export interface Comparison {
  readonly slides: readonly Series[];
  readonly beside: Series | undefined;
  readonly onBeside: (seriesInstanceUid: string | undefined) => void;
  readonly linked: boolean;
  readonly onLinked: (linked: boolean) => void;
}

export function Comparing({ slides, beside, onBeside, linked, onLinked }: Comparison) {
  const { t } = useTranslation("slides");
  const title = useSlideTitle();
  return (
    <>
      <Menu position="bottom-start" transitionProps={{ duration: 0 }}>
        <Menu.Target>
          <button type="button" className={toolbarStyles["tool"]} aria-label={t("beside")} aria-pressed={!!beside}>
            <IconColumns2 size={20} />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {slides.map((one) => (
            <Menu.Item key={one.seriesInstanceUID} onClick={() => onBeside(one.seriesInstanceUID)}>
              {title(one)}
            </Menu.Item>
          ))}
          <Menu.Item disabled={!beside} onClick={() => onBeside(undefined)}>
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
