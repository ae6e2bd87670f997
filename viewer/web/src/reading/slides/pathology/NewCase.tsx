// One more case that was read both ways.

import { Button, Checkbox, Input, Textarea, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { recordCase, validationQuery } from "../../../api/pathology";
import type { ProblemKind } from "../../../api/result";
import { DayInput } from "../../../ui/DayInput";
import styles from "./Validation.module.css";

const NOTHING = { number: "", glass: "", glassOn: "", digital: "", digitalOn: "" };
const NUMBER_MAX = 64;
const DIAGNOSIS_MAX = 2_000;
const CONFLICT = 409;

export function NewCase() {
  const { t } = useTranslation(["pathology", "common"]);
  const questions = useQueryClient();
  const [typed, setTyped] = useState(NOTHING);
  const [isConcordant, setConcordant] = useState(false);
  const [tried, setTried] = useState(false);
  const [round, setRound] = useState(0); // fields for days keep what was typed: others for the next case
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ProblemKind | "known">();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.values(typed).some((value) => value.trim() === "")) return;
    setBusy(true);
    const result = await recordCase({
      number: typed.number.trim(),
      glassDiagnosis: typed.glass.trim(),
      digitalDiagnosis: typed.digital.trim(),
      glassOn: typed.glassOn,
      digitalOn: typed.digitalOn,
      isConcordant,
    });
    setBusy(false);
    if (!result.ok) {
      setProblem(result.problem.status === CONFLICT ? "known" : result.problem.kind);
      return;
    }
    setProblem(undefined);
    setTried(false);
    setTyped(NOTHING);
    setRound(round + 1);
    setConcordant(false);
    questions.setQueryData(validationQuery.queryKey, result.value);
    void questions.invalidateQueries({ queryKey: ["slide"] }); // each slide's description has the standing
  };
  const field = (name: keyof typeof typed) => ({
    label: t(name),
    name,
    value: typed[name],
    autoComplete: "off",
    error: tried && typed[name].trim() === "" ? t("needed") : null,
    onChange: (event: { readonly currentTarget: { readonly value: string } }) => {
      const { value } = event.currentTarget;
      setTyped((before) => ({ ...before, [name]: value }));
    },
  });
  const day = (name: "glassOn" | "digitalOn") => (
    <Input.Wrapper label={t(name)} error={tried && typed[name] === "" ? t("needed") : null}>
      <DayInput
        key={round}
        label={t(name)}
        value={typed[name]}
        onDay={(iso) => setTyped((before) => ({ ...before, [name]: iso }))}
      />
    </Input.Wrapper>
  );

  return (
    <form className={styles["form"]} onSubmit={submit} noValidate aria-label={t("record")}>
      <TextInput {...field("number")} description={t("numberHint")} maxLength={NUMBER_MAX} />
      <Textarea {...field("glass")} autosize minRows={1} maxRows={6} maxLength={DIAGNOSIS_MAX} />
      {day("glassOn")}
      <Textarea {...field("digital")} autosize minRows={1} maxRows={6} maxLength={DIAGNOSIS_MAX} />
      {day("digitalOn")}
      <Checkbox
        label={t("isConcordant")}
        checked={isConcordant}
        onChange={(event) => setConcordant(event.currentTarget.checked)}
      />
      {problem ? (
        <p className={styles["problem"]} role="alert">
          {problem === "known" ? t("known") : t(`common:problem.${problem}`)}
        </p>
      ) : null}
      <Button type="submit" loading={busy}>
        {t("record")}
      </Button>
    </form>
  );
}
