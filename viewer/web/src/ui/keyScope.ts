// Which keys a part of the page has, so that a person may change each by itself.

import { createContext, useContext } from "react";
import { chordOfLabel, labelOf, type Remap } from "./chords";
import { usePreferences } from "./preferences";

/** Empty: keys that nobody changes. */
export const KeyScope = createContext("");

const NONE: Remap = {};

export function useRemap(): Remap {
  const scope = useContext(KeyScope);
  return usePreferences((preferences) => preferences.keys[scope]) ?? NONE;
}

/** How a key of the tables is written once it may have been changed. */
export function useKeyLabel(): (label: string) => string {
  const remap = useRemap();
  return (label) => {
    const chosen = remap[chordOfLabel(label) ?? ""];
    return chosen === undefined ? label : labelOf(chosen);
  };
}
