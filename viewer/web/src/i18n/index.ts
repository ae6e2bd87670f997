// The room's words. Vietnamese is the source and always here; English is fetched when somebody chooses it.

import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import common from "./vi/common.json";
import display from "./vi/display.json";
import findings from "./vi/findings.json";
import header from "./vi/header.json";
import pathology from "./vi/pathology.json";
import reading from "./vi/reading.json";
import review from "./vi/review.json";
import sharing from "./vi/sharing.json";
import shown from "./vi/shown.json";
import signin from "./vi/signin.json";
import slides from "./vi/slides.json";
import upload from "./vi/upload.json";
import volumes from "./vi/volumes.json";
import worklist from "./vi/worklist.json";

const vi = {
  common,
  header,
  signin,
  worklist,
  reading,
  review,
  slides,
  upload,
  volumes,
  sharing,
  findings,
  shown,
  display,
  pathology,
};

const NAMESPACES = Object.keys(vi) as (keyof typeof vi)[];

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: typeof vi;
  }
}

/** English is its own chunk. */
async function english(): Promise<Record<(typeof NAMESPACES)[number], object>> {
  return (await import("./en")).en;
}

export async function speak(language: "vi" | "en"): Promise<void> {
  if (language === "en" && !i18next.hasResourceBundle("en", "common")) {
    const words = await english();
    for (const namespace of NAMESPACES) i18next.addResourceBundle("en", namespace, words[namespace]);
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
