// The three ways on: send with the masks, never send, or another one first. What cannot be undone is asked again.

import { Button, Modal } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import styles from "./Instance.module.css";

export interface DecisionProps {
  readonly masks: number;
  /** How much must be looked at before it can be sent; undefined: nobody knows. */
  readonly unseen: number | undefined;
  readonly isDocument: boolean;
  readonly onAccept: () => Promise<void>;
  readonly onReject: () => Promise<void>;
  readonly onNext: () => void;
}

type Question = "AsIs" | "Document" | "Reject";

export function Decision({ masks, unseen, isDocument, onAccept, onReject, onNext }: DecisionProps) {
  const { t } = useTranslation(["review", "common"]);
  const [question, ask] = useState<Question>();
  const unmasked = isDocument ? "Document" : "AsIs";
  const acceptance = masks > 0 ? t("accept", { count: masks }) : isDocument ? t("acceptDocument") : t("acceptAsIs");
  const [busy, setBusy] = useState(false);
  const run = async (decide: () => Promise<void>) => {
    ask(undefined);
    setBusy(true);
    await decide();
    setBusy(false);
  };

  return (
    <div className={styles["decision"]}>
      <Button
        disabled={busy || unseen !== 0}
        aria-describedby={unseen ? "unseen" : undefined}
        onClick={() => (masks > 0 ? void run(onAccept) : ask(unmasked))}
      >
        {acceptance}
      </Button>
      <Button disabled={busy} color="red" variant="light" onClick={() => ask("Reject")}>
        {t("reject")}
      </Button>
      <Button disabled={busy} variant="default" onClick={onNext}>
        {t("next")}
      </Button>
      {unseen ? (
        <p id="unseen" role="status" className={styles["unseen"]}>
          {t("unseen", { count: unseen })}
        </p>
      ) : null}
      <Modal
        opened={question !== undefined}
        onClose={() => ask(undefined)}
        title={question ? t(`sure${question}`) : ""}
        closeButtonProps={{ "aria-label": t("common:close") }}
        transitionProps={{ duration: 0 }}
      >
        <p className={styles["sure"]}>{question ? t(`sure${question}Hint`) : ""}</p>
        <div className={styles["answers"]}>
          <Button variant="default" data-autofocus onClick={() => ask(undefined)}>
            {t("common:cancel")}
          </Button>
          <Button
            color={question === "Reject" ? "red" : "blue"}
            variant={question === "Reject" ? "light" : "filled"}
            onClick={() => void run(question === "Reject" ? onReject : onAccept)}
          >
            {question === "Reject" ? t("reject") : acceptance}
          </Button>
        </div>
      </Modal>
    </div>
  );
}
