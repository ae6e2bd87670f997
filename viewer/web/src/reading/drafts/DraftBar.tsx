// What a reader is told of drafts: that something came back, that another window keeps one, that one cannot be kept.

import { Button } from "@mantine/core";
import { IconAlertTriangle, IconHistory } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { formatMoment } from "../../ui/format";
import { usePreferences } from "../../ui/preferences";
import { Bar } from "../Bar";
import { useStore } from "../useStore";
import { drafts } from "./draft";

export function DraftBar() {
  const { t } = useTranslation("findings");
  const language = usePreferences((preferences) => preferences.language);
  const all = useStore(drafts, (value) => value);
  const changed = all.filter(({ state }) => state.problem === "changed");
  const restored = all.filter(({ state }) => state.restored !== undefined);
  const [since] = restored.flatMap(({ state }) => state.restored ?? []).sort((a, b) => a.getTime() - b.getTime());
  return (
    <>
      {since ? (
        <Bar icon={<IconHistory size={18} aria-hidden />} role="status">
          <span>{t("draft.restored", { when: formatMoment(since, new Date(), language) })}</span>
          <Button size="compact-sm" variant="default" onClick={() => restored.map((one) => one.drop())}>
            {t("draft.drop")}
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => restored.map((one) => one.seen())}>
            {t("draft.seen")}
          </Button>
        </Bar>
      ) : null}
      {changed.length > 0 ? (
        <Bar icon={<IconAlertTriangle size={18} aria-hidden />} role="alert">
          <span>{t("draft.changed")}</span>
          <Button size="compact-sm" variant="default" onClick={() => changed.map((one) => one.merge())}>
            {t("draft.merge")}
          </Button>
        </Bar>
      ) : null}
      {all.some(({ state }) => state.problem === "refused") ? (
        <Bar icon={<IconAlertTriangle size={18} aria-hidden />} role="alert">
          <span>{t("draft.refused")}</span>
        </Bar>
      ) : null}
    </>
  );
}

/** Without a line: where what is not saved would be found again. */
export function DraftPlace() {
  const { t } = useTranslation("findings");
  const all = useStore(drafts, (value) => value);
  if (all.some(({ state }) => state.kept === "nowhere")) return <b>{t("draft.nowhere")}</b>;
  if (all.some(({ state }) => state.kept === "browser")) return <span>{t("draft.browser")}</span>;
  return null;
}
