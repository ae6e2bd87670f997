// One study that was put in: what this node did with it since, as its trace tells.

import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { traceQuery } from "../api/queries";
import { fateOf } from "./fate";
import styles from "./Upload.module.css";

export function StudyFate({
  studyInstanceUid,
  onOpen,
}: {
  readonly studyInstanceUid: string;
  readonly onOpen: () => void;
}) {
  const { t } = useTranslation("upload");
  const trace = useQuery(traceQuery({ studyInstanceUid, site: undefined }, true));
  const fate = fateOf(trace.data ?? []);
  return (
    <li className={styles["item"]} data-state={fate.held.length > 0 ? "failed" : "stored"}>
      <span className={styles["path"]}>
        <code>{studyInstanceUid}</code>
      </span>
      <span className={styles["state"]}>
        {t("received", { count: fate.received })}
        {fate.deidentified > 0 ? ` · ${t("deidentified", { count: fate.deidentified })}` : ""}
        {fate.delivered ? ` · ${t("delivered")}` : ""}
      </span>
      {fate.held.length > 0 ? (
        <span className={styles["held"]}>
          {t("held", { count: fate.heldCount })} <code>{fate.held.join(", ")}</code>
        </span>
      ) : null}
      <Button variant="default" size="compact-sm" onClick={onOpen}>
        {t("open")}
      </Button>
    </li>
  );
}
