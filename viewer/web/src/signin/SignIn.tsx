// The door: name and password.

import { Alert, Button, PasswordInput, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Problem } from "../api/result";
import { signIn } from "../api/session";
import type { Session } from "../api/types";
import { Door } from "./Door";
import styles from "./Door.module.css";
import { useSignInMessage } from "./messages";

export interface SignInProps {
  readonly nodeName: string;
  /** The session ended by itself, not by the person. */
  readonly expired: boolean;
  readonly onSignedIn: (session: Session) => void;
}

export function SignIn({ nodeName, expired, onSignedIn }: SignInProps) {
  const { t } = useTranslation("signin");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const message = useSignInMessage(problem);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!name.trim() || !password) return;
    setBusy(true);
    const result = await signIn(name.trim(), password);
    setBusy(false);
    if (result.ok) onSignedIn(result.value);
    else {
      setProblem(result.problem);
      setPassword("");
      setTried(false);
    }
  };

  return (
    <Door nodeName={nodeName} title={t("title")}>
      <form onSubmit={submit} noValidate className={styles["form"]}>
        {message ? (
          <Alert color="red" icon={<IconAlertTriangle />} role="alert">
            {message}
          </Alert>
        ) : null}
        {expired && !message ? <Alert role="status">{t("expired")}</Alert> : null}
        <TextInput
          label={t("name")}
          name="name"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          size="md"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={tried && !name.trim() ? t("required") : null}
        />
        <PasswordInput
          label={t("password")}
          name="password"
          autoComplete="current-password"
          size="md"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          error={tried && !password ? t("required") : null}
          visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
        />
        <Button type="submit" size="md" loading={busy} fullWidth>
          {t("submit")}
        </Button>
        <p className={styles["privacy"]}>{t("privacy")}</p>
      </form>
    </Door>
  );
}
