// An address that no screen has: say so, before anybody is asked who they are.

import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { nodeQuery } from "../api/queries";
import { Door } from "../signin/Door";
import door from "../signin/Door.module.css";
import { goTo } from "./route";

export function MissingScreen() {
  const { t } = useTranslation();
  const node = useQuery(nodeQuery);
  return (
    <Door nodeName={node.data?.name ?? ""} title={t("noPage.title")}>
      <div className={door["form"]}>
        <p className={door["privacy"]}>{t("noPage.hint")}</p>
        <Button size="md" fullWidth onClick={() => goTo({ screen: "worklist" }, "instead")}>
          {t("noPage.toList")}
        </Button>
      </div>
    </Door>
  );
}
