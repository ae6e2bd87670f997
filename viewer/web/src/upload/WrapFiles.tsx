// Photographs of films and PDFs: whose they are is typed, the node makes instances of them and marks them.

import { Alert, Button, NativeSelect, TextInput } from "@mantine/core";
import { IconAlertTriangle, IconCamera, IconFiles } from "@tabler/icons-react";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Sent } from "../api/uploads";
import { sendWrapped, type WrapForm } from "../api/wrapping";
import { tidyDay, typedDay } from "../ui/day";
import { formatDay } from "../ui/format";
import { StudyFate } from "./StudyFate";
import styles from "./WrapFiles.module.css";
import { isComplete } from "./wrapForm";

const TAKEN = "image/jpeg,image/png,application/pdf";
const SEXES = ["", "F", "M", "O"] as const;
const NOTHING = { name: "", id: "", birth: "", sex: "", description: "", accession: "" };

export function WrapFiles({ onOpen }: { readonly onOpen: (studyInstanceUid: string) => void }) {
  const { t } = useTranslation(["upload", "common"]);
  const [typed, setTyped] = useState({ ...NOTHING, day: formatDay(new Date()) });
  const [files, setFiles] = useState<readonly File[]>([]);
  const [sent, setSent] = useState<Sent>();
  const [busy, setBusy] = useState(false);
  const chooser = useRef<HTMLInputElement>(null);
  const [tried, setTried] = useState(false);
  const form: WrapForm = {
    patient_name: typed.name.trim(),
    patient_id: typed.id.trim(),
    patient_birth_date: typedDay(typed.birth) ?? typed.birth,
    patient_sex: typed.sex,
    study_date: typedDay(typed.day) ?? typed.day,
    description: typed.description.trim(),
    accession_number: typed.accession.trim(),
  };
  const studies = [...new Set(sent?.results.flatMap((one) => one.study ?? []))];
  const failed = sent ? sent.results.filter((one) => one.state === "failed").length : 0;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!isComplete(form) || files.length === 0) return;
    setBusy(true);
    const answer = await sendWrapped(form, files);
    setBusy(false);
    setSent(answer);
    setTried(false);
    if (!answer.problem) setFiles([]);
  };
  const field = (name: keyof typeof typed, isNeeded = false) => ({
    label: t(`wrap.${name}`),
    value: typed[name],
    maxLength: 64,
    autoComplete: "off",
    withAsterisk: isNeeded,
    error: tried && isNeeded && !typed[name].trim() ? t("wrap.needed") : null,
    onChange: (event: { readonly currentTarget: { readonly value: string } }) => {
      const { value } = event.currentTarget;
      setTyped((before) => ({ ...before, [name]: value }));
    },
  });

  const dayField = (name: "birth" | "day", isNeeded = false) => ({
    ...field(name, isNeeded),
    inputMode: "numeric" as const,
    placeholder: t("common:dayForm"),
    ...(typedDay(typed[name]) === undefined && tried ? { error: t("wrap.noDay") } : {}),
    onBlur: () => setTyped((before) => ({ ...before, [name]: tidyDay(before[name]) })),
  });

  return (
    <section className={styles["wrap"]} aria-labelledby="wrap">
      <h2 id="wrap" className={styles["title"]}>
        <IconCamera size={20} aria-hidden /> {t("wrap.title")}
      </h2>
      <p className={styles["mark"]}>
        <IconAlertTriangle size={18} aria-hidden /> {t("wrap.mark")}
      </p>
      <form className={styles["form"]} onSubmit={submit} noValidate>
        <TextInput {...field("name", true)} />
        <TextInput {...field("id", true)} />
        <TextInput {...dayField("birth")} />
        <NativeSelect
          label={t("wrap.sex")}
          value={typed.sex}
          data={SEXES.map((value) => ({ value, label: value ? t(`common:sex.${value}`) : "" }))}
          onChange={field("sex").onChange}
        />
        <TextInput {...dayField("day", true)} />
        <TextInput {...field("description")} />
        <TextInput {...field("accession")} maxLength={16} />
        <div className={styles["files"]}>
          <Button variant="default" leftSection={<IconFiles size={18} />} onClick={() => chooser.current?.click()}>
            {t("chooseFiles")}
          </Button>
          <span className={styles["chosen"]} aria-live="polite">
            {files.length > 0 ? files.map((file) => file.name).join(", ") : t("wrap.files")}
          </span>
          <input
            ref={chooser}
            type="file"
            multiple
            hidden
            accept={TAKEN}
            aria-label={t("wrap.files")}
            onChange={(event) => setFiles([...(event.currentTarget.files ?? [])])}
          />
          {tried && files.length === 0 ? <span className={styles["error"]}>{t("wrap.noFiles")}</span> : null}
        </div>
        <Button type="submit" loading={busy}>
          {t("wrap.send")}
        </Button>
      </form>
      {sent ? (
        <Alert color={failed > 0 || sent.problem ? "red" : "teal"} role="status">
          {sent.problem
            ? t("wrap.problem")
            : t("wrap.counts", { stored: sent.results.length - failed, failed, count: sent.results.length })}
        </Alert>
      ) : null}
      <ul className={styles["list"]}>
        {studies.map((uid) => (
          <StudyFate key={uid} studyInstanceUid={uid} onOpen={() => onOpen(uid)} />
        ))}
      </ul>
    </section>
  );
}
