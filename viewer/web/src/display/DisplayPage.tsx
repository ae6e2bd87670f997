// The page of displays: the test pattern, what a calibrated display shows of it, which display this is, and its checks.

import { Button, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { displaysQuery, registerDisplay } from "../api/displays";
import { formatNumber } from "../ui/format";
import { usePreferences } from "../ui/preferences";
import { Checks } from "./Checks";
import styles from "./DisplayPage.module.css";
import { DisplayStanding } from "./DisplayStanding";
import { luminanceOf } from "./gsdf";
import { Retired } from "./History";
import { Ruler } from "./Ruler";
import { TestPattern } from "./TestPattern";
import { STEP_LEVELS } from "./testPattern";
import { useThisDisplay } from "./thisDisplay";
import { useTold } from "./useTold";

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
        <Ruler />
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
      <Retired />
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
