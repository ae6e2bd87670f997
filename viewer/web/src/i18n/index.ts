// The room's words. Vietnamese is the source and always here; English is fetched when somebody chooses it.

import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { vi } from "./vi";

const NAMESPACES = Object.keys(vi) as (keyof typeof vi)[];

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: typeof vi;
  }
}

export async function speak(language: "vi" | "en"): Promise<void> {
  if (language === "en" && !i18next.hasResourceBundle("en", "common")) {
    const { en } = await import("./en");
    for (const [namespace, words] of Object.entries(en)) i18next.addResourceBundle("en", namespace, words);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export async function startWords(language: "vi" | "en"): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: "vi",
    fallbackLng: "vi",
    defaultNS: "common",
    ns: [...NAMESPACES],
    resources: { vi },
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  await speak(language);
}
