// Keys and hanging follow the person to every computer; language and light stay with the computer.

import { useEffect } from "react";
import { keepPreferences, openPreferences } from "../api/preferences";
import { settingsOf, usePreferences } from "../ui/preferences";

/** Changes that come close upon each other are told together. */
const TELL_MS = 500;

/** Of whoever is signed in while this is on screen. Without a line, or for a guest, they stay with this browser. */
export function useKeptPreferences(): void {
  useEffect(() => {
    let told = settingsOf(usePreferences.getState());
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const tell = (settings: string) => {
      told = settings;
      void keepPreferences(settings);
    };
    const stop = usePreferences.subscribe((state) => {
      const settings = settingsOf(state);
      clearTimeout(timer);
      if (settings !== told) timer = setTimeout(() => tell(settings), TELL_MS);
    });
    void openPreferences().then((result) => {
      if (gone || !result.ok || result.value.settings === "") return;
      told = result.value.settings;
      usePreferences.getState().take(told);
    });
    return () => {
      gone = true;
      clearTimeout(timer);
      stop();
    };
  }, []);
}
