// What became of each file; the ones that want a look come first, and of very many the rest is a number.

import { useTranslation } from "react-i18next";
import type { Item, State } from "./queue";
import styles from "./Upload.module.css";

const SHOWN_MAX = 200;
const ORDER: readonly State[] = ["failed", "sending", "waiting", "stored", "here", "passed"];
const KNOWN = [
  "InstanceConflict",
  "LimitExceeded",
  "MalformedInstance",
  "StorageFull",
  "UnsupportedSOPClass",
  "UnsupportedTransferSyntax",
  "Forbidden",
  "NotAuthenticated",
  "offline",
] as const;

export function FileList({ items }: { readonly items: readonly Item[] }) {
  const { t } = useTranslation("upload");
  if (items.length === 0) return null;
  const sorted = [...items].sort((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state));
  return (
    <section aria-labelledby="files">
      <h2 id="files" className={styles["subtitle"]}>
        {t("files")}
      </h2>
      <ul className={styles["list"]}>
        {sorted.slice(0, SHOWN_MAX).map((item) => (
          <li key={item.id} className={styles["item"]} data-state={item.state}>
            <span className={styles["path"]}>{item.path}</span>
            <span className={styles["state"]}>
              {item.state === "failed" ? t(`code.${codeKey(item.code)}`) : t(`state.${item.state}`)}
              {item.inside ? ` · ${t("inside", item.inside)}` : ""}
            </span>
          </li>
        ))}
      </ul>
      {sorted.length > SHOWN_MAX ? (
        <p className={styles["hint"]}>{t("more", { count: sorted.length - SHOWN_MAX })}</p>
      ) : null}
    </section>
  );
}

function codeKey(code: string): (typeof KNOWN)[number] | "other" {
  return KNOWN.find((known) => known === code) ?? "other";
}
