// One line below every screen: whether the display that one reads on was checked. A browser cannot prove it.

import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { displaysQuery } from "../api/displays";
import { isoDay } from "../ui/day";
import { formatIsoDay } from "../ui/format";
import { standingOf } from "./standing";
import { useThisDisplay } from "./thisDisplay";

export function DisplayStanding() {
  const { t } = useTranslation("display");
  const id = useThisDisplay((state) => state.id);
  const displays = useQuery({ ...displaysQuery, enabled: id !== "" }).data;
  const display = displays?.find((one) => one.id === id);
  const standing = standingOf(display, isoDay(new Date()));
  const due = formatIsoDay(display?.last?.nextDue ?? "");
  return <span data-standing={standing}>{t(`standing.${standing}`, { name: display?.name ?? "", due })}</span>;
}
