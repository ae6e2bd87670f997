// The checks of the display in use: those on file, and another one to put there.

import { Button, Input, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { recordCheck, retireDisplay } from "../api/displays";
import { sessionQuery } from "../api/queries";
import type { DisplayCheck, DisplayItem } from "../api/types";
import { DayInput } from "../ui/DayInput";
import { isoDay } from "../ui/day";
import styles from "./DisplayPage.module.css";
import { History } from "./History";
import { useTold } from "./useTold";

const YEAR_DAYS = 365;

function inAYear(): string {
  const day = new Date();
  day.setDate(day.getDate() + YEAR_DAYS);
  return isoDay(day);
}

export function Checks({ display }: { readonly display: DisplayItem }) {
  const { t } = useTranslation("display");
  const { failed, tell } = useTold();
  const [by, setBy] = useState("");
  const [on, setOn] = useState(() => isoDay(new Date()));
  const [nextDue, setNextDue] = useState(inAYear);
  const [result, setResult] = useState<DisplayCheck["result"]>("passed");
  const [note, setNote] = useState("");
  const mayRetire = useQuery(sessionQuery).data?.rights.includes("admin") ?? false;
  return (
    <>
      <History display={display.id} />
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
      {mayRetire ? (
        <div className={styles["row"]}>
          <Button variant="subtle" color="red" onClick={() => void tell(retireDisplay(display.id))}>
            {t("retire")}
          </Button>
        </div>
      ) : null}
      {failed ? (
        <p className={styles["problem"]} role="alert">
          {t("failed")}
        </p>
      ) : null}
    </>
  );
}
