// The two switches that every screen has: language, and light or dark.

import { Tooltip } from "@mantine/core";
import { IconMoon, IconSun } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "./IconButton";
import { type Area, usePreferences } from "./preferences";
import styles from "./Toggles.module.css";

export function LanguageToggle() {
  const { t } = useTranslation();
  const language = usePreferences((preferences) => preferences.language);
  const setLanguage = usePreferences((preferences) => preferences.setLanguage);
  const other = language === "vi" ? "en" : "vi";
  return (
    <Tooltip label={`${t("language")}: ${t(`languageName.${other}`)}`}>
      <button
        type="button"
        className={styles["language"]}
        lang={other}
        aria-label={`VI EN: ${t(`languageName.${other}`)}`}
        onClick={() => setLanguage(other)}
      >
        <span data-current={language === "vi"}>VI</span> <span data-current={language === "en"}>EN</span>
      </button>
    </Tooltip>
  );
}

export function SchemeToggle({ area }: { readonly area: Area }) {
  const { t } = useTranslation();
  const scheme = usePreferences((preferences) => preferences.schemes[area]);
  const toggle = usePreferences((preferences) => preferences.toggleScheme);
  const label = scheme === "dark" ? t("schemeToLight") : t("schemeToDark");
  return (
    <IconButton
      label={label}
      icon={scheme === "dark" ? <IconSun size={20} /> : <IconMoon size={20} />}
      onClick={() => toggle(area)}
    />
  );
}
