// The room in its providers: colours, words, questions to the node; then who is at the door.

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useEffect } from "react";
import { speak } from "../i18n";
import { type Area, usePreferences } from "../ui/preferences";
import { Gate } from "./Gate";
import { MissingScreen } from "./MissingScreen";
import { useRoute } from "./route";
import { theme } from "./theme";

const questions = new QueryClient({
  defaultOptions: { queries: { refetchOnWindowFocus: true, networkMode: "always" } },
});

export function Room() {
  const route = useRoute();
  const area: Area = route.screen === "reading" ? "reading" : "lists";
  const scheme = usePreferences((preferences) => preferences.schemes[area]);
  const language = usePreferences((preferences) => preferences.language);

  useEffect(() => {
    void speak(language);
  }, [language]);

  return (
    <MantineProvider
      theme={theme}
      forceColorScheme={scheme}
      withCssVariables={false}
      withGlobalClasses={false}
      cssVariablesSelector=":root"
    >
      <QueryClientProvider client={questions}>
        {route.screen === "missing" ? <MissingScreen /> : <Gate route={route} />}
      </QueryClientProvider>
    </MantineProvider>
  );
}
