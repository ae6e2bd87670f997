// The door for somebody whom a link lets in: the code that was told apart.

import { Alert, Button, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Problem } from "../api/result";
import { openLink } from "../api/sharing";
import type { Session } from "../api/types";
import { Door } from "./Door";
import styles from "./Door.module.css";
import { useSignInMessage } from "./messages";

export interface OpenLinkProps {
  readonly nodeName: string;
  /** What stood behind the # of the link's address. */
  readonly link: string;
  readonly onOpened: (session: Session) => void;
}

export function OpenLink({ nodeName, link, onOpened }: OpenLinkProps) {
  const { t } = useTranslation("sharing");
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const failed = useSignInMessage(problem);
  const message = failed && problem?.kind === "signedOut" ? t("openWrong") : failed;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!code.trim()) return;
    setBusy(true);
    const result = await openLink(link, code.trim());
    setBusy(false);
    if (result.ok) onOpened(result.value);
    else {
      setProblem(result.problem);
      setCode("");
    }
  };

  return (
    <Door nodeName={nodeName} title={t("openTitle")}>
      {link ? (
        <form onSubmit={submit} noValidate className={styles["form"]}>
          {message ? (
            <Alert color="red" icon={<IconAlertTriangle />} role="alert">
              {message}
            </Alert>
          ) : null}
          <p className={styles["privacy"]}>{t("openHint")}</p>
          <TextInput
            label={t("openCode")}
            name="code"
            inputMode="numeric"
            autoComplete="one-time-code"
            autoFocus
            size="md"
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
          <Button type="submit" size="md" loading={busy} fullWidth>
            {t("open")}
          </Button>
        </form>
      ) : (
        <Alert color="red" icon={<IconAlertTriangle />} role="alert">
          {t("openNoLink")}
        </Alert>
      )}
    </Door>
  );
}
