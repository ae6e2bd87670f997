// Body Part Examined (PS3.16 Annex L) in words; a code that has none is shown as it is.

import i18next from "i18next";
import { useTranslation } from "react-i18next";

export function useBodyPart(): (code: string) => string {
  const { t } = useTranslation();
  return (code) => {
    const key = `bodyPart.${code}`;
    return i18next.exists(`common:${key}`) ? t(key as "bodyPart.HEAD") : code;
  };
}
