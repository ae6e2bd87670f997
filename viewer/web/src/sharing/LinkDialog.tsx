// Making a link to a study, and what became of those that were made.

import { Alert, Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { StudyKey } from "../api/queries";
import type { Problem } from "../api/result";
import { linksQuery, makeLink, revokeLink } from "../api/sharing";
import type { LinkItem, MadeLink } from "../api/types";
import { formatClock, formatDay } from "../ui/format";
import { usePreferences } from "../ui/preferences";
import styles from "./LinkDialog.module.css";
import { linkState } from "./linkState";

const HOURS = [1, 8, 24, 72, 168] as const;
const DAY_H = 24;

export interface LinkDialogProps {
  readonly study: StudyKey;
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function LinkDialog({ study, opened, onClose }: LinkDialogProps) {
  const { t } = useTranslation(["sharing", "common"]);
  const links = useQuery(linksQuery(study, opened));
  const [hours, setHours] = useState(DAY_H);
  const [made, setMade] = useState<MadeLink>();
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);

  const run = async (does: () => Promise<Problem | undefined>) => {
    setBusy(true);
    setProblem(await does());
    setBusy(false);
    await links.refetch();
  };
  const make = () =>
    run(async () => {
      const result = await makeLink(study, hours);
      if (result.ok) setMade(result.value);
      return result.ok ? undefined : result.problem;
    });
  const revoke = (one: LinkItem) =>
    run(async () => {
      const result = await revokeLink(study, one.id);
      if (result.ok && made?.id === one.id) setMade(undefined);
      return result.ok ? undefined : result.problem;
    });
  const close = () => {
    setMade(undefined);
    setProblem(undefined);
    onClose();
  };

  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t("linkTitle")}
      size="lg"
      closeButtonProps={{ "aria-label": t("common:close") }}
      transitionProps={{ duration: 0 }}
    >
      <div className={styles["form"]}>
        <p className={styles["hint"]}>{t("linkWhy")}</p>
        {problem ? (
          <Alert color="red" role="alert">
            {t(`common:problem.${problem.kind}`)}
          </Alert>
        ) : null}
        <div className={styles["row"]}>
          <NativeSelect
            label={t("hours")}
            value={String(hours)}
            onChange={(event) => setHours(Number(event.currentTarget.value))}
            data={HOURS.map((count) => ({
              value: String(count),
              label: count < DAY_H ? t("hoursOf", { count }) : t("days", { count: count / DAY_H }),
            }))}
          />
          <Button loading={busy} onClick={() => void make()}>
            {t("make")}
          </Button>
        </div>
        {made ? (
          <section className={styles["made"]} aria-live="polite">
            <Shown label={t("address")} value={made.address} />
            <Shown label={t("code")} value={made.code} />
            <p className={styles["hint"]}>{t("once")}</p>
          </section>
        ) : null}
        {links.data?.length ? (
          <section aria-labelledby="links">
            <h3 id="links" className={styles["subtitle"]}>
              {t("made")}
            </h3>
            <ul className={styles["list"]}>
              {links.data.map((one) => (
                <LinkLine key={one.id} link={one} busy={busy} onRevoke={() => void revoke(one)} />
              ))}
            </ul>
          </section>
        ) : null}
      </div>
    </Modal>
  );
}

function Shown({ label, value }: { readonly label: string; readonly value: string }) {
  const { t } = useTranslation("sharing");
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(value).then(
      () => setCopied(true),
      () => undefined,
    );
  };
  return (
    <div className={styles["row"]}>
      <TextInput
        className={styles["value"] ?? ""}
        label={label}
        readOnly
        value={value}
        onFocus={(event) => event.currentTarget.select()}
      />
      <Button variant="default" onClick={() => void copy()}>
        {t(copied ? "copied" : "copy")}
      </Button>
    </div>
  );
}

interface LinkLineProps {
  readonly link: LinkItem;
  readonly busy: boolean;
  readonly onRevoke: () => void;
}

function LinkLine({ link, busy, onRevoke }: LinkLineProps) {
  const { t } = useTranslation("sharing");
  const language = usePreferences((preferences) => preferences.language);
  const state = linkState(link, new Date());
  const moment = (at: string) => `${formatDay(new Date(at))} ${formatClock(new Date(at), language, false)}`;
  return (
    <li className={styles["line"]} data-state={state}>
      <span className={styles["what"]}>
        <b>{t(`state.${state}`)}</b>
        <span>{t("until", { at: moment(link.expiresAt) })}</span>
        <span className={styles["hint"]}>{t("by", { who: link.madeBy, at: moment(link.madeAt) })}</span>
      </span>
      {state === "revoked" || state === "ended" ? null : (
        <Button variant="default" size="compact-sm" disabled={busy} onClick={onRevoke}>
          {t("revoke")}
        </Button>
      )}
    </li>
  );
}
