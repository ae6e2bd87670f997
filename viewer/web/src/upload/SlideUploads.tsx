// Vendors' slides on their way in: whose each is, how far it has come, and what became of it.

import { Button, Progress, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useId, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import type { SlideForm } from "../api/slideUploads";
import { formatNumber } from "../ui/format";
import { usePreferences } from "../ui/preferences";
import { holdTab } from "../ui/unload";
import styles from "./SlideUploads.module.css";
import type { SlideSender } from "./slideSender";

export interface SlideUploadsProps {
  readonly senders: readonly SlideSender[];
  readonly onOpen: (studyInstanceUid: string) => void;
}

const EMPTY: SlideForm = { patient_id: "", patient_name: "", accession_number: "", container: "", stain: "" };
/** As the node takes them, in characters. */
const FIELDS = [
  ["patient_id", 64],
  ["patient_name", 194],
  ["accession_number", 16],
  ["container", 64],
  ["stain", 64],
] as const;
const CODES = [
  "MalformedSlide",
  "LimitExceeded",
  "StorageFull",
  "offline",
  "denied",
  "missing",
  "invalid",
  "signedOut",
  "noFolder",
  "noSlide",
] as const;

export function SlideUploads({ senders, onOpen }: SlideUploadsProps) {
  const { t } = useTranslation("upload");
  // Several slides of a batch are usually one patient's.
  const [last, setLast] = useState(EMPTY);
  const title = useId();
  if (senders.length === 0) return null;
  return (
    <section aria-labelledby={title}>
      <h2 id={title} className={styles["title"]}>
        {t("slide.title")}
      </h2>
      <ul className={styles["list"]}>
        {senders.map((sender) => (
          <SlideUpload
            key={sender.file.name + sender.file.size}
            sender={sender}
            last={last}
            onLast={setLast}
            onOpen={onOpen}
          />
        ))}
      </ul>
    </section>
  );
}

interface SlideUploadProps {
  readonly sender: SlideSender;
  readonly last: SlideForm;
  readonly onLast: (form: SlideForm) => void;
  readonly onOpen: (studyInstanceUid: string) => void;
}

function SlideUpload({ sender, last, onLast, onOpen }: SlideUploadProps) {
  const { t } = useTranslation("upload");
  const language = usePreferences((preferences) => preferences.language);
  const progress = useSyncExternalStore(sender.progress.subscribe, sender.progress.get);
  const { name, size } = sender.file;
  const isSending = progress.step === "sending";
  useEffect(() => {
    holdTab(`slide ${name}`, isSending);
    return () => holdTab(`slide ${name}`, false);
  }, [name, isSending]);
  const begin = (form: SlideForm) => {
    onLast({ ...form, container: "", stain: "" });
    void sender.begin(form);
  };
  const cancel = () => void sender.cancel();
  return (
    <li className={styles["slide"]} data-step={progress.step} aria-label={name}>
      <p className={styles["name"]}>
        <b>{name}</b> {t("slide.size", { size: formatNumber(size / 1e6, language, 1) })}
      </p>
      {progress.step === "asked" ? <Whose before={last} onDone={begin} onCancel={cancel} /> : null}
      {progress.step === "sending" ? (
        <>
          <Progress value={(100 * progress.sent) / Math.max(size, 1)} aria-label={t("progress")} />
          <p role="status">
            {progress.broken
              ? t("slide.broken")
              : t("slide.sending", { part: formatNumber((100 * progress.sent) / Math.max(size, 1), language) })}
          </p>
          <Button variant="default" size="compact-sm" onClick={cancel}>
            {t("slide.cancel")}
          </Button>
        </>
      ) : null}
      {progress.step === "taking" ? (
        <>
          <Progress value={100 * progress.part} aria-label={t("slide.taking")} />
          <p role="status">{t("slide.taking")}</p>
        </>
      ) : null}
      {progress.step === "stored" ? (
        <p role="status" className={styles["stored"]}>
          {t(progress.lossy ? "slide.storedLossy" : "slide.stored")}
          <Button variant="default" size="compact-sm" onClick={() => onOpen(progress.study)}>
            {t("open")}
          </Button>
        </p>
      ) : null}
      {progress.step === "cancelled" ? <p role="status">{t(`slide.cancelled.${progress.there}`)}</p> : null}
      {progress.step === "failed" ? (
        <p role="alert">{t(`slide.code.${CODES.find((code) => code === progress.code) ?? "other"}`)}</p>
      ) : null}
    </li>
  );
}

interface WhoseProps {
  readonly before: SlideForm;
  readonly onDone: (form: SlideForm) => void;
  readonly onCancel: () => void;
}

/** Whose slide it is: nothing of it is taken from the file, so somebody must say. */
function Whose({ before, onDone, onCancel }: WhoseProps) {
  const { t } = useTranslation("upload");
  const [form, setForm] = useState(before);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (form.patient_id.trim()) onDone(form);
  };
  return (
    <form className={styles["form"]} onSubmit={submit} autoComplete="off">
      {FIELDS.map(([field, most]) => (
        <TextInput
          key={field}
          size="sm"
          label={t(`slide.${field}`)}
          maxLength={most}
          required={field === "patient_id"}
          value={form[field]}
          onChange={(event) => setForm({ ...form, [field]: event.currentTarget.value })}
        />
      ))}
      <Button type="submit" disabled={!form.patient_id.trim()}>
        {t("slide.send")}
      </Button>
      <Button variant="default" onClick={onCancel}>
        {t("slide.leaveOut")}
      </Button>
    </form>
  );
}
