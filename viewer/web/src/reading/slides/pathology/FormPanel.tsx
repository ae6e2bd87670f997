// Form 25/BV2 beside the slide: the fields as the node lists them, in the words of the form.

import { Button, Input, Loader, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { formFieldsQuery } from "../../../api/pathology";
import type { StudyKey } from "../../../api/queries";
import { problemOf } from "../../../api/result";
import type { PathologyField } from "../../../api/types";
import { DayInput } from "../../../ui/DayInput";
import { formatMoment } from "../../../ui/format";
import { usePreferences } from "../../../ui/preferences";
import type { Purpose } from "./draft";
import styles from "./FormPanel.module.css";
import { SidePanel } from "./SidePanel";
import { type FormWork, useForm } from "./useForm";

const PARTS = ["request", "report"] as const;
const PURPOSES = ["formal", "informal", "teaching"] as const;
const LINE_MAX = 200;
const TEXT_MAX = 8_000;
const COUNT_DIGITS_MAX = 4;

export interface FormPanelProps {
  readonly study: StudyKey;
  readonly onClose: () => void;
}

export function FormPanel({ study, onClose }: FormPanelProps) {
  const { t } = useTranslation(["pathology", "common"]);
  const fields = useQuery(formFieldsQuery);
  const work = useForm(study);
  const failed = fields.error ? problemOf(fields.error).kind : work.form ? undefined : work.problem;
  return (
    <SidePanel title={t("formTitle")} onClose={onClose}>
      <p className={styles["note"]}>{t("notReport")}</p>
      {/* Fields for days keep what was typed: another state has others. */}
      {fields.data && work.form ? <Fields key={work.form.revision} fields={fields.data} work={work} /> : null}
      {failed ? (
        <p className={styles["problem"]} role="alert">
          {t(`common:problem.${failed === "changed" ? "unexpected" : failed}`)}{" "}
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              void fields.refetch();
              work.reopen();
            }}
          >
            {t("common:retry")}
          </Button>
        </p>
      ) : null}
      {failed || (fields.data && work.form) ? null : <Loader aria-label={t("common:loading")} />}
    </SidePanel>
  );
}

function Fields({ fields, work }: { readonly fields: readonly PathologyField[]; readonly work: FormWork }) {
  const { t } = useTranslation("pathology");
  const { typed, type } = work;
  return (
    <form
      className={styles["form"]}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        work.save();
      }}
    >
      <NativeSelect
        label={t("purpose")}
        value={typed.purpose}
        data={PURPOSES.map((value) => ({ value, label: t(`purposeOf.${value}`) }))}
        onChange={(event) => type({ ...typed, purpose: event.currentTarget.value as Purpose })}
      />
      {PARTS.map((part) => (
        <fieldset key={part} className={styles["part"]}>
          <legend>{t(part)}</legend>
          {fields
            .filter((field) => field.part === part)
            .map((field) => (
              <Field
                key={field.name}
                field={field}
                value={typed.values[field.name] ?? ""}
                onType={(value) => type({ ...typed, values: { ...typed.values, [field.name]: value } })}
              />
            ))}
        </fieldset>
      ))}
      <Saving work={work} />
    </form>
  );
}

interface FieldProps {
  readonly field: PathologyField;
  readonly value: string;
  readonly onType: (value: string) => void;
}

function Field({ field, value, onType }: FieldProps) {
  const language = usePreferences((preferences) => preferences.language);
  const common = {
    label: field[language],
    name: field.name,
    value,
    autoComplete: "off",
    onChange: (event: { readonly currentTarget: { readonly value: string } }) => onType(event.currentTarget.value),
  };
  switch (field.kind) {
    case "text":
      return <Textarea {...common} autosize minRows={2} maxRows={12} maxLength={TEXT_MAX} />;
    case "date":
      return (
        <Input.Wrapper label={common.label}>
          <DayInput label={common.label} value={value} onDay={onType} />
        </Input.Wrapper>
      );
    case "count":
      return <TextInput {...common} inputMode="numeric" maxLength={COUNT_DIGITS_MAX} />;
    case "line":
      return <TextInput {...common} maxLength={LINE_MAX} />;
  }
}

function Saving({ work }: { readonly work: FormWork }) {
  const { t } = useTranslation(["pathology", "common"]);
  const language = usePreferences((preferences) => preferences.language);
  const { form, problem } = work;
  const saved = form?.at
    ? t("savedBy", { author: form.author, moment: formatMoment(new Date(form.at), new Date(), language) })
    : t("blank");
  return (
    <div className={styles["saving"]}>
      {problem ? (
        <p className={styles["problem"]} role="alert">
          {problem === "changed" ? t("changed") : problem === "invalid" ? t("refused") : t(`common:problem.${problem}`)}
        </p>
      ) : null}
      {problem === "changed" ? (
        <Button fullWidth variant="default" onClick={work.reopen}>
          {t("reopen")}
        </Button>
      ) : (
        <Button fullWidth type="submit" disabled={!work.unsaved} loading={work.saving}>
          {t("save")}
        </Button>
      )}
      <p className={styles["note"]} role="status">
        {work.unsaved ? t("unsaved") : saved}
      </p>
    </div>
  );
}
