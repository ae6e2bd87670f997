// Whose pictures these are: always on screen while pictures are.

import { Tooltip } from "@mantine/core";
import {
  IconArrowLeft,
  IconBolt,
  IconCamera,
  IconClockUp,
  IconKeyboard,
  IconRoute,
  IconShieldLock,
  IconWindowMaximize,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { type StudyKey, sessionQuery } from "../api/queries";
import type { Study } from "../api/types";
import type { Bearer } from "../engine/frames/stacks";
import { ShareMenu } from "../sharing/ShareMenu";
import { useBodyPart } from "../ui/bodyPart";
import { ageAt, dicomAge, dicomDate, displayName, formatDicomDay } from "../ui/format";
import { IconButton } from "../ui/IconButton";
import { LanguageToggle, SchemeToggle } from "../ui/Toggles";
import styles from "./Banner.module.css";

export interface BannerProps {
  readonly studyKey: StudyKey;
  /** The study as the node tells it. */
  readonly study: Study | undefined;
  /** The study as its own instances tell it, once they are here. */
  readonly bearer: Bearer | undefined;
  readonly onBack: () => void;
  /** Show what is looked at in a second window; undefined where that is not offered. */
  readonly onSecond: (() => void) | undefined;
  readonly onTrace: () => void;
  readonly onHelp: () => void;
}

export function Banner({ studyKey, study, bearer, onBack, onSecond, onTrace, onHelp }: BannerProps) {
  const { t } = useTranslation(["reading", "common", "sharing"]);
  const isGuest = Boolean(useQuery(sessionQuery).data?.study);
  const back = t(isGuest ? "sharing:leave" : "common:back");
  return (
    <header className={styles["banner"]}>
      <IconButton label={back} hint="Q" icon={<IconArrowLeft size={22} />} size="xl" onClick={onBack} />
      <Person study={study} bearer={bearer} site={studyKey.site} />
      <div className={styles["switches"]}>
        <ShareMenu study={studyKey} />
        {onSecond ? (
          <IconButton
            className={styles["wide"]}
            label={t("second.open")}
            hint="⇧W"
            icon={<IconWindowMaximize size={20} />}
            onClick={onSecond}
          />
        ) : null}
        {isGuest ? null : <IconButton label={t("trace")} hint="T" icon={<IconRoute size={20} />} onClick={onTrace} />}
        <IconButton
          className={styles["wide"]}
          label={t("common:help")}
          hint="?"
          icon={<IconKeyboard size={20} />}
          onClick={onHelp}
        />
        <span className={styles["wide"]}>
          <LanguageToggle />
        </span>
        <SchemeToggle area="reading" />
      </div>
    </header>
  );
}

interface PersonProps extends Pick<BannerProps, "study" | "bearer"> {
  readonly site: string | undefined;
}

function Person({ study, bearer, site }: PersonProps) {
  const { t } = useTranslation(["reading", "common"]);
  const bodyPart = useBodyPart();
  const name = displayName(bearer?.patientName || study?.patientName || "");
  const patientId = bearer?.patientId || study?.patientID || "";
  const facts = [
    name.includes(patientId) ? "" : patientId,
    useSex(bearer?.sex || study?.patientSex || ""),
    useAge(study, bearer),
    bearer?.studyDescription || study?.studyDescription || bodyPart(study?.bodyPart ?? ""),
    useStudyDay(study, bearer),
    study?.site ?? site,
  ];
  return (
    <section className={styles["person"]} aria-label={t("patient")}>
      <div className={styles["first"]}>
        <h1 className={styles["name"]}>{name || t("common:unknown")}</h1>
        {study && study.priority !== "routine" ? (
          <span className={styles["badge"]} data-kind={study.priority}>
            {study.priority === "stat" ? <IconBolt size={15} aria-hidden /> : <IconClockUp size={15} aria-hidden />}
            {t(`common:priority.${study.priority}`)}
          </span>
        ) : null}
        {bearer?.photograph ? (
          <span className={styles["badge"]} data-kind="photograph">
            <IconCamera size={15} aria-hidden />
            {t("photograph")}
          </span>
        ) : null}
        {bearer?.identityRemoved ? (
          <Tooltip label={t("pseudonymisedWhy")} multiline w={280}>
            <span className={styles["badge"]} data-kind="pseudonymised">
              <IconShieldLock size={15} aria-hidden />
              {t("pseudonymised")}
            </span>
          </Tooltip>
        ) : null}
      </div>
      <p className={styles["facts"]}>{facts.filter(Boolean).join(" · ")}</p>
    </section>
  );
}

function useSex(code: string): string {
  const { t } = useTranslation();
  return code === "M" || code === "F" || code === "O" ? t(`sex.${code}`) : "";
}

/** The age at the study: as the instances say it, else from the birth date. */
function useAge(study: Study | undefined, bearer: Bearer | undefined): string {
  const { t } = useTranslation();
  const told = dicomAge(bearer?.age ?? "");
  if (told?.unit === "months") return t("ageMonths", { count: told.count });
  if (told?.unit === "days") return t("ageDays", { count: told.count });
  const at = dicomDate(bearer?.studyDate || study?.studyDate || "");
  const years = told?.count ?? (at && ageAt(bearer?.birthDate || study?.patientBirthDate || "", at));
  return years === undefined ? "" : t("age", { count: years });
}

function useStudyDay(study: Study | undefined, bearer: Bearer | undefined): string {
  const { t } = useTranslation("reading");
  const date = formatDicomDay(bearer?.studyDate || study?.studyDate || "");
  return date && bearer?.datesShifted ? t("dateShifted", { date }) : date;
}
