// A new password: forced after a one-time one, or asked for.

import { Alert, Button, PasswordInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Problem } from "../api/result";
import { changePassword, PASSWORD_LENGTH_MIN } from "../api/session";
import type { Session } from "../api/types";
import { Door } from "./Door";
import styles from "./Door.module.css";
import { passwordFault } from "./passwordRule";

export interface ChangePasswordProps {
  readonly nodeName: string;
  readonly session: Session;
  readonly onChanged: (session: Session) => void;
  readonly onLeave: () => void;
}

export function ChangePassword({ nodeName, session, onChanged, onLeave }: ChangePasswordProps) {
  const { t } = useTranslation(["signin", "common"]);
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const fault = tried ? passwordFault(current, next, again) : undefined;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    setProblem(undefined);
    if (!current || passwordFault(current, next, again)) return;
    setBusy(true);
    const result = await changePassword(current, next);
    setBusy(false);
    if (result.ok) onChanged(result.value);
    else setProblem(result.problem);
  };

  return (
    <Door nodeName={nodeName} title={t("change.title")}>
      <form onSubmit={submit} noValidate className={styles["form"]}>
        <Alert role="status">{session.mustChange ? t("change.why") : t("change.own", { name: session.name })}</Alert>
        {problem ? (
          <Alert color="red" icon={<IconAlertTriangle />} role="alert">
            {changeMessage(problem, t)}
          </Alert>
        ) : null}
        <input type="hidden" name="username" autoComplete="username" value={session.name} readOnly />
        <PasswordInput
          label={t("change.current")}
          autoComplete="current-password"
          size="md"
          value={current}
          onChange={(event) => setCurrent(event.currentTarget.value)}
          error={tried && !current ? t("required") : null}
          visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
        />
        <PasswordInput
          label={t("change.next")}
          description={t("change.rule", { count: PASSWORD_LENGTH_MIN })}
          autoComplete="new-password"
          size="md"
          value={next}
          onChange={(event) => setNext(event.currentTarget.value)}
          error={fault === "tooShort" || fault === "same" ? t(`change.${fault}`, { count: PASSWORD_LENGTH_MIN }) : null}
          visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
        />
        <PasswordInput
          label={t("change.again")}
          autoComplete="new-password"
          size="md"
          value={again}
          onChange={(event) => setAgain(event.currentTarget.value)}
          error={fault === "different" ? t("change.different") : null}
          visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
        />
        <Button type="submit" size="md" loading={busy} fullWidth>
          {t("change.submit")}
        </Button>
        <Button variant="subtle" onClick={onLeave} fullWidth>
          {session.mustChange ? t("common:signOut") : t("common:cancel")}
        </Button>
      </form>
    </Door>
  );
}

type Translate = ReturnType<typeof useTranslation<["signin", "common"]>>["t"];

function changeMessage(problem: Problem, t: Translate): string {
  if (problem.kind === "denied" || problem.kind === "signedOut") return t("change.wrongCurrent");
  if (problem.kind === "invalid") return t("change.refused");
  return t(`common:problem.${problem.kind}`);
}
