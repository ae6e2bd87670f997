// The groups of bulk annotations on a slide: each on or off, and what the one is that was pointed at.

import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { BulkGroup } from "../../api/types";
import { formatNumber } from "../../ui/format";
import { usePreferences } from "../../ui/preferences";
import styles from "./BulkPanel.module.css";
import { type Bulk, colorOf } from "./useBulk";

export function BulkPanel({ bulk }: { readonly bulk: Bulk }) {
  const { t } = useTranslation(["slides", "common"]);
  const language = usePreferences((preferences) => preferences.language);
  const { groups, hit } = bulk;
  const pointed = hit && groups[hit.group];
  return (
    <aside className={styles["panel"]} aria-label={t("bulk.title")}>
      <h2 className={styles["title"]}>{t("bulk.title")}</h2>
      {groups.length === 0 ? <p className={styles["note"]}>{t("bulk.none")}</p> : null}
      <ul className={styles["list"]}>
        {groups.map((group, index) => (
          <li key={group.id} data-pointed={group === pointed}>
            <label className={styles["group"]}>
              <input type="checkbox" checked={bulk.isOn(group)} onChange={() => bulk.toggle(group)} />
              <span>
                {group.label || group.type || t("bulk.group", { number: index + 1 })}
                <small>
                  {[group.label ? group.type : "", formatNumber(group.count, language)].filter(Boolean).join(" · ")}
                </small>
              </span>
            </label>
            <span className={styles["color"]} style={{ background: colorOf(index) }} aria-hidden />
          </li>
        ))}
      </ul>
      <p className={styles["pointed"]} role="status">
        {pointed ? <Pointed group={pointed} number={hit.number} /> : t("bulk.point")}
      </p>
      {bulk.unread > 0 ? <p className={styles["note"]}>{t("bulk.unread", { count: bulk.unread })}</p> : null}
      {bulk.failed ? (
        <p className={styles["note"]} role="alert">
          {t("bulk.failed")}{" "}
          <Button size="compact-xs" variant="default" onClick={bulk.retry}>
            {t("common:retry")}
          </Button>
        </p>
      ) : null}
    </aside>
  );
}

/** What it is, and who says so. */
function Pointed({ group, number }: { readonly group: BulkGroup; readonly number: number | undefined }) {
  const { t } = useTranslation("slides");
  const language = usePreferences((preferences) => preferences.language);
  const what = [group.category, group.type].filter(Boolean).join(": ");
  const which = number === undefined ? t("bulk.several") : t("bulk.number", { number: formatNumber(number, language) });
  return (
    <>
      <b>{group.label || what}</b> {which}
      <br />
      {[group.label ? what : "", group.algorithm].filter(Boolean).join(" · ")}
    </>
  );
}
