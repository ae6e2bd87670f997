// The measuring tools behind one button, each with its key.

import { Menu } from "@mantine/core";
import {
  IconAngle,
  IconArrowUpRight,
  IconCircleDashed,
  IconColorPicker,
  IconLasso,
  IconRectangle,
  IconRuler2,
  IconRulerMeasure,
  IconVectorBezier2,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { PrimaryTool } from "../../engine/stack/tools";
import { KeyMark, ToolMenu } from "./ToolMenu";

interface Row {
  readonly tool: PrimaryTool;
  readonly key: string;
  readonly icon: ReactNode;
}

const SIZE = 20;
const LENGTH: Row = { tool: "length", key: "L", icon: <IconRuler2 size={SIZE} /> };
/** Their order is that of how often a reader wants them. */
const ROWS: readonly Row[] = [
  LENGTH,
  { tool: "bidirectional", key: "B", icon: <IconRulerMeasure size={SIZE} /> },
  { tool: "probe", key: "H", icon: <IconColorPicker size={SIZE} /> },
  { tool: "ellipse", key: "E", icon: <IconCircleDashed size={SIZE} /> },
  { tool: "rectangle", key: "X", icon: <IconRectangle size={SIZE} /> },
  { tool: "freehand", key: "V", icon: <IconLasso size={SIZE} /> },
  { tool: "angle", key: "A", icon: <IconAngle size={SIZE} /> },
  { tool: "cobb", key: "G", icon: <IconVectorBezier2 size={SIZE} /> },
  { tool: "arrow", key: "N", icon: <IconArrowUpRight size={SIZE} /> },
];

/** Keys of the measuring tools, as `KeyboardEvent.key` has them. */
export const MEASURE_KEYS: Readonly<Record<string, PrimaryTool>> = Object.fromEntries(
  ROWS.map((row) => [row.key.toLowerCase(), row.tool]),
);

export interface MeasureMenuProps {
  readonly tool: PrimaryTool;
  readonly onTool: (tool: PrimaryTool) => void;
}

export function MeasureMenu({ tool, onTool }: MeasureMenuProps) {
  const { t } = useTranslation("reading");
  const chosen = ROWS.find((row) => row.tool === tool);
  return (
    <ToolMenu
      label={chosen ? t("measureWith", { tool: t(`tool.${chosen.tool}`) }) : t("measure")}
      short={t("measure")}
      icon={(chosen ?? LENGTH).icon}
      pressed={chosen !== undefined}
    >
      {ROWS.map((row) => (
        <Menu.Item
          key={row.tool}
          leftSection={row.icon}
          rightSection={<KeyMark>{row.key}</KeyMark>}
          aria-current={row.tool === tool ? "true" : undefined}
          onClick={() => onTool(row.tool)}
        >
          {t(`tool.${row.tool}`)}
        </Menu.Item>
      ))}
    </ToolMenu>
  );
}
