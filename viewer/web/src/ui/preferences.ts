// What a person chose on this browser: language, and light or dark for the lists and for reading.

import { create } from "zustand";

export type Language = "vi" | "en";
export type Scheme = "light" | "dark";
/** Lists are read in office light, pictures in a dim room. */
export type Area = "lists" | "reading";

interface Preferences {
  readonly language: Language;
  readonly schemes: Readonly<Record<Area, Scheme>>;
  readonly setLanguage: (language: Language) => void;
  readonly toggleScheme: (area: Area) => void;
}

const KEY = "vienanh.preferences";

function read(): { language: Language; schemes: Record<Area, Scheme> } {
  const fallback = { language: "vi" as const, schemes: { lists: "light" as const, reading: "dark" as const } };
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>;
    const scheme = (value: unknown, otherwise: Scheme) => (value === "light" || value === "dark" ? value : otherwise);
    return {
      language: stored.language === "en" ? "en" : "vi",
      schemes: {
        lists: scheme(stored.schemes?.lists, "light"),
        reading: scheme(stored.schemes?.reading, "dark"),
      },
    };
  } catch {
    return fallback;
  }
}

/** A browser may refuse storage; the choice then lasts as long as the page. */
function write(preferences: Pick<Preferences, "language" | "schemes">): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ language: preferences.language, schemes: preferences.schemes }));
  } catch {
    // Nothing to do: nothing is lost but the choice.
  }
}

export const usePreferences = create<Preferences>()((set, get) => ({
  ...read(),
  setLanguage: (language) => {
    set({ language });
    write(get());
  },
  toggleScheme: (area) => {
    const { schemes } = get();
    set({ schemes: { ...schemes, [area]: schemes[area] === "dark" ? "light" : "dark" } });
    write(get());
  },
}));
