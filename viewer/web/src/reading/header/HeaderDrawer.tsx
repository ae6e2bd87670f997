// The attributes of the instance that is looked at, to be searched; never its pixels.

import { Drawer, Loader, TextInput } from "@mantine/core";
import { IconSearch, IconShieldLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { instanceQuery } from "../../api/dicomweb";
import { dictionaryQuery } from "../../api/queries";
import { problemOf } from "../../api/result";
import { isDataSet, text } from "../../engine/frames/dicomJson";
import { FailedNotice } from "../../ui/FailedNotice";
import { type AttributeRow, found, type Known, rowsOf } from "./attributes";
import styles from "./HeaderDrawer.module.css";

/** More rows than anybody reads: a narrower search shows the rest. */
const SHOWN_MAX = 600;

/** Stable, so that the field is focussed when it comes, not whenever it is drawn. */
const focus = (field: HTMLInputElement | null) => field?.focus();

export interface HeaderDrawerProps {
  /** Address of the instance, or of a frame of it; undefined: nothing is looked at. */
  readonly url: string | undefined;
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function HeaderDrawer({ url, opened, onClose }: HeaderDrawerProps) {
  const { t } = useTranslation(["header", "common"]);
  return (
    <Drawer
      opened={opened && url !== undefined}
      onClose={onClose}
      title={t("title")}
      position="right"
      size="xl"
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ "aria-label": t("common:close") }}
    >
      {url === undefined ? null : <Attributes url={url} />}
    </Drawer>
  );
}

function Attributes({ url }: { readonly url: string }) {
  const { t } = useTranslation(["header", "common"]);
  const [search, setSearch] = useState("");
  const dictionary = useQuery(dictionaryQuery);
  const instance = useQuery(instanceQuery(url));
  const known = useMemo(
    () => new Map<string, Known>((dictionary.data ?? []).map((one) => [one.tag, one])),
    [dictionary.data],
  );
  const rows = useMemo(() => rowsOf(instance.data, known), [instance.data, known]);
  const error = instance.error ?? dictionary.error;
  if (error) {
    const retry = () => void (instance.error ? instance : dictionary).refetch();
    return <FailedNotice title={t(`common:problem.${problemOf(error).kind}`)} onRetry={retry} />;
  }
  if (instance.isPending || dictionary.isPending) return <Loader aria-label={t("common:loading")} />;
  const hits = found(rows, search);
  const removed = isDataSet(instance.data) && text(instance.data, "00120062") === "YES";
  return (
    <>
      <TextInput
        ref={focus}
        type="search"
        value={search}
        aria-label={t("search")}
        placeholder={t("search")}
        leftSection={<IconSearch size={18} aria-hidden />}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <p className={styles["hint"]} role="status">
        {t("count", { count: hits.filter((row) => row.tag.startsWith("(")).length })}
        {hits.length > SHOWN_MAX ? ` ${t("more")}` : ""}
        {removed ? ` ${t("removed")}` : ""}
      </p>
      <table className={styles["attributes"]}>
        <thead>
          <tr>
            <th scope="col">{t("tag")}</th>
            <th scope="col">VR</th>
            <th scope="col">{t("name")}</th>
            <th scope="col">{t("value")}</th>
          </tr>
        </thead>
        <tbody>
          {hits.slice(0, SHOWN_MAX).map((row) => (
            <Row key={row.path} row={row} removed={removed} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function Row({ row, removed }: { readonly row: AttributeRow; readonly removed: boolean }) {
  const { t } = useTranslation("header");
  return (
    <tr data-depth={Math.min(row.depth, 8)}>
      <td className={styles["tag"]}>{row.tag}</td>
      <td>{row.vr}</td>
      <td>{row.tag.startsWith("(") ? row.name || t("private") : t("item")}</td>
      <td className={styles["value"]}>
        {row.value === "…" ? t("bulk") : row.value}
        {removed && row.profiled ? (
          <IconShieldLock size={15} className={styles["shield"] ?? ""} aria-label={t("profiled")} role="img" />
        ) : null}
      </td>
    </tr>
  );
}
