// Which keys a part of the page has, so that a person may change each by itself.

import { createContext, useContext } from "react";
import { chordOf, chordOfLabel, labelOf, meant, type Press, type Remap } from "./chords";
import type { KeyRoom } from "./keyTable";
import { usePreferences } from "./preferences";

/** Empty: keys that nobody changes. */
export const KeyScope = createContext<KeyRoom | "">("");

const NONE: Remap = {};

export function useRemap(): Remap {
  const scope = useContext(KeyScope);
  return usePreferences((preferences) => preferences.keys[scope]) ?? NONE;
}

/** For what listens to keys by itself: the key of the tables that a press stands for. */
export function useMeant(): (press: Press) => string {
  const remap = useRemap();
  return (press) => meant(chordOf(press), remap);
}

/** How a key of the tables is written once it may have been changed. */
export function useKeyLabel(): (label: string) => string {
  const remap = useRemap();
  return (label) => {
    const chosen = remap[chordOfLabel(label) ?? ""];
    return chosen === undefined ? label : labelOf(chosen);
  };
}
