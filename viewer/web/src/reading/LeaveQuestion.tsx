// Asks what becomes of what is drawn and not saved, before one goes.

import { Button, Modal } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import styles from "./LeaveQuestion.module.css";
import type { Leaving } from "./useLeaving";

export function LeaveQuestion({ leaving }: { readonly leaving: Leaving }) {
  const { t } = useTranslation(["reading", "common"]);
  const { question, stay } = leaving;
  const [saving, setSaving] = useState(false);
  const [failed, setFailed] = useState(false);
  const end = (go?: () => void) => {
    setFailed(false);
    stay();
    go?.();
  };
  const save = async () => {
    setSaving(true);
    const saved = await question?.save?.();
    setSaving(false);
    if (saved) end(question?.go);
    else setFailed(true);
  };
  const drop = () => {
    question?.drop();
    end(question?.go);
  };
  return (
    <Modal
      opened={question !== undefined}
      onClose={() => end()}
      title={t("leave.title")}
      closeButtonProps={{ "aria-label": t("common:close") }}
      transitionProps={{ duration: 0 }}
    >
      <p className={styles["why"]}>{t(question?.save ? "leave.why" : "leave.whyNotKept")}</p>
      {failed ? (
        <p className={styles["failed"]} role="alert">
          {t("leave.failed")}
        </p>
      ) : null}
      <div className={styles["answers"]}>
        <Button variant="default" data-autofocus disabled={saving} onClick={() => end()}>
          {t("leave.stay")}
        </Button>
        <Button color="red" variant="light" disabled={saving} onClick={drop}>
          {t("leave.drop")}
        </Button>
        {question?.save ? (
          <Button loading={saving} onClick={() => void save()}>
            {t("leave.save")}
          </Button>
        ) : null}
      </div>
    </Modal>
  );
}
