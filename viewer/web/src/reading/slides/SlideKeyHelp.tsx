// The table of a slide's keys.

import { useTranslation } from "react-i18next";
import { KeyHelp } from "../../ui/KeyHelp";
import { TAKE_KEY } from "../shown/TakePicture";
import { MARK_TOOLS } from "./MarkTools";

export interface SlideKeyHelpProps {
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function SlideKeyHelp({ opened, onClose }: SlideKeyHelpProps) {
  const { t } = useTranslation(["slides", "reading", "pathology", "shown"]);
  const mouse = [
    { keys: [t("reading:keys.wheel")], what: t("reading:tool.zoom") },
    { keys: [t("reading:keys.left")], what: t("reading:tool.pan") },
    { keys: [t("keys.doubleClick")], what: t("keys.nearer") },
    { keys: [t("reading:keys.oneFinger")], what: `${t("reading:keys.touch")}: ${t("reading:tool.pan")}` },
    { keys: [t("reading:keys.twoFingers")], what: t("reading:keys.zoomPan") },
  ];
  const keyboard = [
    { keys: ["←", "→", "↑", "↓"], what: t("reading:tool.pan") },
    { keys: ["N", "Shift+N"], what: t("keys.fields") },
    { keys: ["+", "−"], what: t("reading:tool.zoom") },
    { keys: ["1–6"], what: t("keys.objectives") },
    { keys: ["0"], what: t("oneToOne") },
    { keys: ["F", "Home"], what: t("home") },
    { keys: ["R", "Shift+R"], what: t("keys.rotate") },
    { keys: ["M"], what: t("mirror") },
    { keys: ["PgUp", "PgDn"], what: t("focus") },
    { keys: ["O"], what: t("opticalPath") },
    { keys: ["P"], what: t("profile") },
    ...MARK_TOOLS.map(({ tool, key }) => ({ keys: tool === "pan" ? [key, "Esc"] : [key], what: t(`tool.${tool}`) })),
    { keys: ["Del"], what: t("removeMark") },
    { keys: ["K"], what: t("marks") },
    { keys: ["B"], what: t("bulk.title") },
    { keys: ["Y"], what: t("pathology:formTitle") },
    { keys: ["V"], what: t("beside") },
    { keys: ["J"], what: t("linked") },
    { keys: ["[", "]"], what: t("keys.slides") },
    { keys: [`⇧${TAKE_KEY}`], what: t("shown:take") },
    { keys: ["T"], what: t("reading:trace") },
    { keys: ["F8", "F9"], what: t("reading:keys.case") },
    { keys: ["Q"], what: t("reading:keys.back") },
    { keys: ["?"], what: t("reading:keys.help") },
  ];
  const pad = [
    { keys: [t("pad.sticks")], what: t("pad.pan") },
    { keys: [t("pad.triggers")], what: t("reading:tool.zoom") },
    { keys: ["Pad A"], what: t("pad.mark") },
    { keys: ["Pad X"], what: t("removeMark") },
    { keys: ["Pad B"], what: t("marks") },
    { keys: ["Pad Y"], what: t("home") },
    { keys: ["Pad LB", "Pad RB"], what: t("keys.slides") },
    { keys: ["Pad ↓", "Pad ↑"], what: t("keys.objectives") },
    { keys: ["Pad ←", "Pad →"], what: t("keys.fields") },
  ];
  return (
    <KeyHelp
      opened={opened}
      onClose={onClose}
      title={t("reading:keys.title")}
      groups={[
        { title: t("reading:keys.mouse"), rows: mouse },
        { title: t("reading:keys.keyboard"), rows: keyboard },
        { title: t("pad.title"), rows: pad },
      ]}
    />
  );
}
