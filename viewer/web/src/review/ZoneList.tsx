// The devices, each with where its zones come from and when they were used last.

import { useTranslation } from "react-i18next";
import type { PixelZone } from "../api/types";
import { formatMoment } from "../ui/format";
import { usePreferences } from "../ui/preferences";
import { useNow } from "../ui/useNow";
import styles from "./Queue.module.css";
import { keyOfZone, stateOf } from "./zones";

export interface ZoneListProps {
  readonly zones: readonly PixelZone[];
  readonly chosen: string | undefined;
  readonly onOpen: (zone: PixelZone) => void;
}

export function ZoneList({ zones, chosen, onOpen }: ZoneListProps) {
  const { t } = useTranslation("zones");
  const language = usePreferences((preferences) => preferences.language);
  const now = useNow();
  const when = (at: string | null) => (at ? formatMoment(new Date(at), now, language) : undefined);
  return (
    <ul className={styles["queue"]}>
      {zones.map((zone) => {
        const used = when(zone.usedAt);
        return (
          <li key={keyOfZone(zone)}>
            <button
              type="button"
              className={styles["item"]}
              aria-current={keyOfZone(zone) === chosen}
              onClick={() => onOpen(zone)}
            >
              <strong>
                {zone.manufacturer} {zone.model}
              </strong>
              <span>
                {t(`state.${stateOf(zone)}`, { exams: zone.exams, wanted: zone.examsWanted })}
                {zone.boxes.length > 0 ? ` · ${t("boxes", { count: zone.boxes.length })}` : ""}
              </span>
              <span className={styles["last"]}>
                {t("size", { columns: zone.columns, rows: zone.rows })} · {zone.site}
                {used ? ` · ${t("used", { when: used })}` : ""}
                {!used && zone.at ? ` · ${t("since", { when: when(zone.at) })}` : ""}
                {zone.sample ? ` · ${t("hasSample")}` : ""}
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
