// The page of displays: the test pattern, what a calibrated display shows of it, which display this is, and its checks.

import { Button, Input, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { displaysQuery, recordCheck, registerDisplay, retireDisplay } from "../api/displays";
import type { Result } from "../api/result";
import type { DisplayCheck, DisplayItem } from "../api/types";
import { DayInput } from "../ui/DayInput";
import { isoDay } from "../ui/day";
import { formatIsoDay, formatNumber } from "../ui/format";
import { usePreferences } from "../ui/preferences";
import styles from "./DisplayPage.module.css";
import { DisplayStanding } from "./DisplayStanding";
import { luminanceOf } from "./gsdf";
import { TestPattern } from "./TestPattern";
import { STEP_LEVELS } from "./testPattern";
import { useThisDisplay } from "./thisDisplay";

export default function DisplayPage({ onBack }: { readonly onBack: () => void }) {
  const { t } = useTranslation(["display", "common"]);
  const [pattern, setPattern] = useState(false);
  const { id, choose } = useThisDisplay();
  const displays = useQuery(displaysQuery).data ?? [];
  const display = displays.find((one) => one.id === id);
  return (
    <section className={styles["page"]} aria-labelledby="displays">
      <div className={styles["row"]}>
        <Button variant="subtle" onClick={onBack}>
          {t("back")}
        </Button>
        <h1 id="displays">{t("title")}</h1>
      </div>
      <p className={styles["hint"]}>{t("cannotProve")}</p>
      <div className={styles["card"]}>
        <h2>{t("pattern")}</h2>
        <p className={styles["hint"]}>{t("patternHow")}</p>
        <div className={styles["row"]}>
          <Button onClick={() => setPattern(true)}>{t("patternOpen")}</Button>
        </div>
        <Levels />
      </div>
      <div className={styles["card"]}>
        <h2>{t("thisOne")}</h2>
        <NativeSelect
          label={t("which")}
          value={display ? id : ""}
          data={[
            { value: "", label: t("none") },
            ...displays.map((one) => ({ value: one.id, label: [one.place, one.name].filter(Boolean).join(" · ") })),
          ]}
          onChange={(event) => choose(event.currentTarget.value)}
        />
        <p className={styles["hint"]} role="status">
          <DisplayStanding />
        </p>
        {display ? <Checks key={display.id} display={display} /> : <Register onMade={choose} />}
      </div>
      {pattern ? <TestPattern onClose={() => setPattern(false)} /> : null}
    </section>
  );
}

/** What a display that follows the standard function shows at each step. */
function Levels() {
  const { t } = useTranslation("display");
  const language = usePreferences((preferences) => preferences.language);
  const [black, setBlack] = useState(1);
  const [white, setWhite] = useState(350);
  const number = (set: (value: number) => void) => (value: number | string) =>
    typeof value === "number" && value > 0 ? set(value) : undefined;
  return (
    <>
      <div className={styles["form"]}>
        <NumberInput label={t("black")} value={black} min={0.05} max={50} step={0.1} onChange={number(setBlack)} />
        <NumberInput label={t("white")} value={white} min={60} max={4000} step={10} onChange={number(setWhite)} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a table wider than the window is scrolled by keys */}
      <section className={styles["levels"]} tabIndex={0} aria-label={t("levels")}>
        <table>
          <tbody>
            <tr>
              <th scope="row">{t("level")}</th>
              {STEP_LEVELS.map((level) => (
                <td key={level}>{level}</td>
              ))}
            </tr>
            <tr>
              <th scope="row">cd/m²</th>
              {STEP_LEVELS.map((level) => {
                const luminance = luminanceOf(level, black, white);
                return <td key={level}>{formatNumber(luminance, language, luminance < 10 ? 2 : 0)}</td>;
              })}
            </tr>
          </tbody>
        </table>
      </section>
    </>
  );
}

/** Do something at the node, then ask anew; tells whether it failed. */
function useTold(): { failed: boolean; tell: <T>(asked: Promise<Result<T>>) => Promise<Result<T>> } {
  const questions = useQueryClient();
  const [failed, setFailed] = useState(false);
  const tell = async <T,>(asked: Promise<Result<T>>) => {
    const result = await asked;
    setFailed(!result.ok);
    await questions.invalidateQueries({ queryKey: displaysQuery.queryKey });
    return result;
  };
  return { failed, tell };
}

function Register({ onMade }: { readonly onMade: (id: string) => void }) {
  const { t } = useTranslation("display");
  const { failed, tell } = useTold();
  const [name, setName] = useState("");
  const [place, setPlace] = useState("");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const result = await tell(registerDisplay(name, place));
    if (result.ok) onMade(result.value.id);
  };
  return (
    <form className={styles["form"]} onSubmit={(event) => void submit(event)}>
      <TextInput label={t("name")} value={name} maxLength={64} required onChange={(e) => setName(e.target.value)} />
      <TextInput label={t("place")} value={place} maxLength={128} onChange={(e) => setPlace(e.target.value)} />
      <Button type="submit" variant="default">
        {t("register")}
      </Button>
      {failed ? (
        <p className={styles["problem"]} role="alert">
          {t("failed")}
        </p>
      ) : null}
    </form>
  );
}

const YEAR_DAYS = 365;

function inAYear(): string {
  const day = new Date();
  day.setDate(day.getDate() + YEAR_DAYS);
  return isoDay(day);
}

function Checks({ display }: { readonly display: DisplayItem }) {
  const { t } = useTranslation("display");
  const { failed, tell } = useTold();
  const [by, setBy] = useState("");
  const [on, setOn] = useState(() => isoDay(new Date()));
  const [nextDue, setNextDue] = useState(inAYear);
  const [result, setResult] = useState<DisplayCheck["result"]>("passed");
  const [note, setNote] = useState("");
  const { last } = display;
  return (
    <>
      {last ? (
        <p className={styles["hint"]}>
          {t("lastCheck", {
            by: last.by,
            on: formatIsoDay(last.on),
            result: t(last.result === "failed" ? "failedCheck" : "passed"),
            recordedBy: last.recordedBy,
          })}
          {last.note ? ` · ${last.note}` : ""}
        </p>
      ) : null}
      <form
        className={styles["form"]}
        onSubmit={(event) => {
          event.preventDefault();
          void tell(recordCheck(display.id, { by, on, result, nextDue, note }));
        }}
      >
        <TextInput label={t("by")} value={by} maxLength={64} required onChange={(e) => setBy(e.target.value)} />
        <Input.Wrapper label={t("on")}>
          <DayInput label={t("on")} value={on} onDay={setOn} />
        </Input.Wrapper>
        <NativeSelect
          label={t("result")}
          value={result}
          data={[
            { value: "passed", label: t("passed") },
            { value: "failed", label: t("failedCheck") },
          ]}
          onChange={(e) => setResult(e.currentTarget.value === "failed" ? "failed" : "passed")}
        />
        <Input.Wrapper label={t("nextDue")}>
          <DayInput label={t("nextDue")} value={nextDue} onDay={setNextDue} />
        </Input.Wrapper>
        <TextInput label={t("note")} value={note} maxLength={512} onChange={(e) => setNote(e.target.value)} />
        <Button type="submit">{t("record")}</Button>
      </form>
      <div className={styles["row"]}>
        <Button variant="subtle" color="red" onClick={() => void tell(retireDisplay(display.id))}>
          {t("retire")}
        </Button>
      </div>
      {failed ? (
        <p className={styles["problem"]} role="alert">
          {t("failed")}
        </p>
      ) : null}
    </>
  );
}
