// The tools that draw on a slide, as buttons.

import {
  IconArrowsMove,
  IconListDetails,
  IconMapPin,
  IconPolygon,
  IconRuler2,
  IconScribble,
  IconTextCaption,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { SlideTool } from "../../engine/slides/markTool";
import { Tool } from "../toolbar/Tool";
import { useStore } from "../useStore";
import type { SlideToolbarProps } from "./SlideToolbar";

/** Which tool each key takes up. */
export const MARK_TOOLS: readonly { readonly tool: SlideTool; readonly key: string; readonly icon: ReactNode }[] = [
  { tool: "pan", key: "G", icon: <IconArrowsMove size={20} /> },
  { tool: "line", key: "L", icon: <IconRuler2 size={20} /> },
  { tool: "polygon", key: "A", icon: <IconPolygon size={20} /> },
  { tool: "freehand", key: "E", icon: <IconScribble size={20} /> },
  { tool: "point", key: "C", icon: <IconMapPin size={20} /> },
  { tool: "text", key: "X", icon: <IconTextCaption size={20} /> },
];

export function MarkTools({ bench, listed, onListed }: Omit<SlideToolbarProps, "comparing">) {
  const { t } = useTranslation("slides");
  const { tool, marks } = bench;
  const chosen = useStore(tool.tool, (value) => value);
  const count = useStore(marks.list, (list) => list.length);
  return (
    <>
      {MARK_TOOLS.map((one) => (
        <Tool
          key={one.tool}
          label={t(`tool.${one.tool}`)}
          hint={one.key}
          icon={one.icon}
          pressed={one.tool === chosen}
          onClick={() => tool.choose(one.tool)}
        />
      ))}
      <Tool
        label={t("marksCount", { count })}
        hint="K"
        icon={<IconListDetails size={20} />}
        pressed={listed}
        onClick={() => onListed(!listed)}
      />
    </>
  );
}
