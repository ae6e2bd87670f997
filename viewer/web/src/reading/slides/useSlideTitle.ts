// What a slide is called: as its series is described, else by its number.

import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Series } from "../../api/types";

export function useSlideTitle(): (series: Series) => string {
  const { t } = useTranslation("slides");
  return useCallback(
    ({ description, number }) => description || (number === null ? t("slide") : t("slideNumber", { number })),
    [t],
  );
}
