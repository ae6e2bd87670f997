// The way in: styles, words, and the room in its providers.

import "./app/styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { takeFromAddress } from "./app/launch";
import { Room } from "./app/Room";
import { startWords } from "./i18n";
import { usePreferences } from "./ui/preferences";

takeFromAddress();
const root = document.getElementById("room");
if (root) {
  await startWords(usePreferences.getState().language);
  createRoot(root).render(
    <StrictMode>
      <Room />
    </StrictMode>,
  );
}
