// Asks what becomes of what is drawn or typed and not saved, before one goes.

import { Button, Modal } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import styles from "./LeaveQuestion.module.css";
import { stay, useLeaving } from "./leaving";

export function LeaveQuestion() {
  const { t } = useTranslation();
  const question = useLeaving((leaving) => leaving.question);
  const what = question?.what ?? "marks";
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
      title={t(`leave.title.${what}`)}
      size={500}
      closeButtonProps={{ "aria-label": t("close") }}
      transitionProps={{ duration: 0 }}
    >
      <p className={styles["why"]}>{question?.save ? t(`leave.why.${what}`) : t(`leave.lost.${what}`)}</p>
      {failed ? (
        <p className={styles["failed"]} role="alert">
          {t(`leave.failed.${what}`)}
        </p>
      ) : null}
      <div className={styles["answers"]}>
        <Button variant="default" data-autofocus disabled={saving} onClick={() => end()}>
          {t("leave.stay")}
        </Button>
        <Button color="red" variant="light" disabled={saving} onClick={drop}>
          {t(`leave.drop.${what}`)}
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
