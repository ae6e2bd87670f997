// How many pictures, whether they are scrolled together, and which other study is beside this one.

import { Menu } from "@mantine/core";
import { IconLayoutColumns, IconLayoutGrid, IconSquare } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { priorsQuery, type StudyKey } from "../../api/queries";
import type { Study } from "../../api/types";
import { formatDicomDay } from "../../ui/format";
import { following, LAYOUTS, type Layout } from "../arrangement/panes";
import type { Hanging } from "../arrangement/useArrangement";
import { HangingRows } from "./HangingRows";
import { KeyMark, ToolMenu } from "./ToolMenu";

const ICONS: Readonly<Record<Layout, ReactNode>> = {
  1: <IconSquare size={20} />,
  2: <IconLayoutColumns size={20} />,
  4: <IconLayoutGrid size={20} />,
};

export interface LayoutMenuProps {
  readonly study: StudyKey;
  readonly layout: Layout;
  readonly onLayout: (layout: Layout) => void;
  readonly linked: boolean;
  readonly onLinked: (linked: boolean) => void;
  readonly onPrior: (prior: Study) => void;
  readonly hanging: Hanging;
}

export function LayoutMenu({ study, layout, onLayout, linked, onLinked, onPrior, hanging }: LayoutMenuProps) {
  const { t } = useTranslation("reading");
  const priors = useQuery(priorsQuery(study)).data ?? [];
  return (
    <ToolMenu label={t("layout.title")} short={t("layout.short")} icon={ICONS[layout]}>
      {LAYOUTS.map((one) => (
        <Menu.Item
          key={one}
          leftSection={ICONS[one]}
          rightSection={one === following(layout) ? <KeyMark>D</KeyMark> : null}
          aria-current={one === layout ? "true" : undefined}
          onClick={() => onLayout(one)}
        >
          {t("layout.panes", { count: one })}
        </Menu.Item>
      ))}
      <Menu.CheckboxItem rightSection={<KeyMark>Y</KeyMark>} checked={linked} onChange={onLinked}>
        {t("layout.link")}
      </Menu.CheckboxItem>
      <HangingRows {...hanging} />
      <Menu.Label>{t("layout.priors", { count: priors.length })}</Menu.Label>
      {priors.map((prior) => (
        <Menu.Item key={`${prior.site} ${prior.studyInstanceUID}`} onClick={() => onPrior(prior)}>
          {`${formatDicomDay(prior.studyDate)} · ${prior.modalities.join(", ")} ${prior.studyDescription}`}
          {study.site === undefined || prior.site === study.site ? "" : ` · ${prior.site}`}
        </Menu.Item>
      ))}
    </ToolMenu>
  );
}
