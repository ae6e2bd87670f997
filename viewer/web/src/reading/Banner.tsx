// Whose pictures these are: always on screen while pictures are.

import { ActionIcon, Tooltip } from "@mantine/core";
import { IconArrowLeft, IconBolt, IconClockUp, IconKeyboard, IconRoute, IconShieldLock } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Study } from "../api/types";
import type { Bearer } from "../engine/stacks";
import { ageAt, dicomDate, displayName, formatDicomDay } from "../ui/format";
import { LanguageToggle, SchemeToggle } from "../ui/Toggles";
import styles from "./Banner.module.css";

export interface BannerProps {
  /** The study as the node tells it. */
  readonly study: Study | undefined;
  /** The study as its own instances tell it, once they are here. */
  readonly bearer: Bearer | undefined;
  readonly site: string | undefined;
  readonly onBack: () => void;
  readonly onTrace: () => void;
  readonly onHelp: () => void;
}

export function Banner({ study, bearer, site, onBack, onTrace, onHelp }: BannerProps) {
  const { t } = useTranslation(["reading", "common"]);
  return (
    <header className={styles["banner"]}>
      <Tooltip label={`${t("common:back")} (Q)`}>
        <ActionIcon variant="subtle" size="xl" aria-label={t("common:back")} onClick={onBack}>
          <IconArrowLeft size={22} />
        </ActionIcon>
      </Tooltip>
      <Person study={study} bearer={bearer} site={site} />
      <div className={styles["switches"]}>
        <Tooltip label={`${t("trace")} (T)`}>
          <ActionIcon variant="subtle" size="lg" aria-label={t("trace")} onClick={onTrace}>
            <IconRoute size={20} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={`${t("common:help")} (?)`}>
          <ActionIcon
            className={styles["wide"] ?? ""}
            variant="subtle"
            size="lg"
            aria-label={t("common:help")}
            onClick={onHelp}
          >
            <IconKeyboard size={20} />
          </ActionIcon>
        </Tooltip>
        <span className={styles["wide"]}>
          <LanguageToggle />
        </span>
        <SchemeToggle area="reading" />
      </div>
    </header>
  );
}

function Person({ study, bearer, site }: Pick<BannerProps, "study" | "bearer" | "site">) {
  const { t } = useTranslation(["reading", "common"]);
  const sexCode = bearer?.sex ?? study?.patientSex;
  const sex = sexCode === "M" || sexCode === "F" || sexCode === "O" ? t(`common:sex.${sexCode}`) : undefined;
  const studyDate = bearer?.studyDate || study?.studyDate || "";
  const birthDate = bearer?.birthDate || study?.patientBirthDate || "";
  const at = dicomDate(studyDate);
  const age = at && ageAt(birthDate, at);
  const facts = [
    bearer?.patientId || study?.patientID,
    sex,
    age === undefined ? undefined : t("common:age", { count: age }),
    bearer?.studyDescription || study?.studyDescription,
    formatDicomDay(studyDate),
    study?.site ?? site,
  ];
  return (
    <section className={styles["person"]} aria-label={t("patient")}>
      <div className={styles["first"]}>
        <h1 className={styles["name"]}>
          {displayName(bearer?.patientName || study?.patientName || "") || t("common:unknown")}
        </h1>
        {study && study.priority !== "routine" ? (
          <span className={styles["badge"]} data-kind={study.priority}>
            {study.priority === "stat" ? <IconBolt size={15} aria-hidden /> : <IconClockUp size={15} aria-hidden />}
            {t(`common:priority.${study.priority}`)}
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
