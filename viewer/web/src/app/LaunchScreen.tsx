// What another program asked for: straight to the one study, a choice of several, or that there is none.

import { Button, Loader } from "@mantine/core";
import { IconSearchOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { launchQuery } from "../api/sharing";
import type { Study } from "../api/types";
import { displayName, formatDicomDay } from "../ui/format";
import { Notice } from "../ui/Notice";
import styles from "./LaunchScreen.module.css";
import { launched } from "./launch";
import { goTo } from "./route";

const toWorklist = () => goTo({ screen: "worklist" });
const toStudy = (one: Study) =>
  goTo({ screen: "reading", studyInstanceUid: one.studyInstanceUID, site: one.site }, "instead");

export function LaunchScreen() {
  const { t } = useTranslation(["sharing", "common"]);
  const wanted = launched();
  const query = useQuery(launchQuery(wanted));
  const found = query.data;
  const only = found?.length === 1 ? found[0] : undefined;

  useEffect(() => {
    if (only) toStudy(only);
  }, [only]);

  if (wanted && (query.isPending || only))
    return <Loader className={styles["waiting"] ?? ""} aria-label={t("common:loading")} />;
  if (!found?.length) {
    return (
      <Notice
        icon={<IconSearchOff size={48} stroke={1.5} />}
        title={t(wanted ? "launchNone" : "launchUnknown")}
        action={<Button onClick={toWorklist}>{t("toList")}</Button>}
      />
    );
  }
  return (
    <section className={styles["page"]} aria-labelledby="launched">
      <h1 id="launched" className={styles["title"]}>
        {t("launchTitle")}
      </h1>
      <p className={styles["hint"]}>{t("launchSeveral")}</p>
      <ul className={styles["list"]}>
        {found.map((one) => (
          <li key={`${one.site} ${one.studyInstanceUID}`}>
            <Button
              variant="default"
              fullWidth
              justify="flex-start"
              classNames={{ root: styles["study"] ?? "", label: styles["words"] ?? "" }}
              onClick={() => toStudy(one)}
            >
              {[
                displayName(one.patientName),
                formatDicomDay(one.studyDate),
                one.modalities.join(" "),
                one.studyDescription,
                one.accessionNumber && t("accession", { number: one.accessionNumber }),
              ]
                .filter(Boolean)
                .join(" · ")}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
