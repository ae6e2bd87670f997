// What a person chose on this browser: language, light or dark for the lists and for reading, how studies are hung.

import { create } from "zustand";
import type { Remap } from "./chords";

export type Language = "vi" | "en";
type Scheme = "light" | "dark";
/** Lists are read in office light, pictures in a dim room. */
export type Area = "lists" | "reading";

/** How studies are hung when they are opened. */
interface HangingPreferences {
  readonly automatic: boolean;
  /** Protocols by modality and region, such as "CT chest". */
  readonly defaults: Readonly<Record<string, string>>;
}

/** What is kept; the rest are its setters. */
type Kept = Pick<Preferences, "language" | "schemes" | "hanging" | "keys">;

interface Preferences {
  readonly language: Language;
  readonly schemes: Readonly<Record<Area, Scheme>>;
  readonly hanging: HangingPreferences;
  /** By part of the page and default key, the key that is used instead. */
  readonly keys: Readonly<Record<string, Remap>>;
  readonly setKey: (scope: string, key: string, chosen: string | undefined) => void;
  readonly clearKeys: (scope: string) => void;
  /** What the node keeps of this person comes in the place of what is here. */
  readonly take: (settings: string) => void;
  readonly setHanging: (hanging: HangingPreferences) => void;
  readonly setLanguage: (language: Language) => void;
  readonly toggleScheme: (area: Area) => void;
}

const KEY = "vienanh.preferences";

const FALLBACK: Kept = {
  language: "vi",
  schemes: { lists: "light", reading: "dark" },
  hanging: { automatic: true, defaults: {} },
  keys: {},
};

function texts(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(typeof value === "object" && value !== null ? value : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

/** What goes with the person rather than the computer. */
type Settings = Pick<Kept, "hanging" | "keys">;

function settingsIn(stored: Partial<Settings>): Settings {
  const scopes = Object.entries(stored.keys ?? {}).map(([scope, keys]) => [scope, texts(keys)] as const);
  return {
    hanging: { automatic: stored.hanging?.automatic !== false, defaults: texts(stored.hanging?.defaults) },
    keys: Object.fromEntries(scopes),
  };
}

export function settingsOf({ hanging, keys }: Settings): string {
  return JSON.stringify({ hanging, keys });
}

function read(): Kept {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>;
    const scheme = (value: unknown, otherwise: Scheme) => (value === "light" || value === "dark" ? value : otherwise);
    return {
      language: stored.language === "en" ? "en" : "vi",
      schemes: {
        lists: scheme(stored.schemes?.lists, "light"),
        reading: scheme(stored.schemes?.reading, "dark"),
      },
      ...settingsIn(stored),
    };
  } catch {
    return FALLBACK;
  }
}

/** A browser may refuse storage; the choice then lasts as long as the page. */
function write({ language, schemes, hanging, keys }: Kept): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ language, schemes, hanging, keys }));
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
  setKey: (scope, key, chosen) => {
    const { [key]: _, ...others } = get().keys[scope] ?? {};
    set({ keys: { ...get().keys, [scope]: chosen === undefined ? others : { ...others, [key]: chosen } } });
    write(get());
  },
  clearKeys: (scope) => {
    set({ keys: { ...get().keys, [scope]: {} } });
    write(get());
  },
  take: (settings) => {
    try {
      set(settingsIn(JSON.parse(settings) as Partial<Settings>));
      write(get());
    } catch {
      // Not ours: what is here stays.
    }
  },
  setHanging: (hanging) => {
    set({ hanging });
    write(get());
  },
  toggleScheme: (area) => {
    const { schemes } = get();
    set({ schemes: { ...schemes, [area]: schemes[area] === "dark" ? "light" : "dark" } });
    write(get());
  },
}));
