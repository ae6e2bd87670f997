// Which registered display this browser is looked at on: the person says it, kept at this computer.

import { create } from "zustand";

const KEY = "vienanh.display";

function kept(): string {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

interface ThisDisplay {
  /** Empty: none was chosen. */
  readonly id: string;
  readonly choose: (id: string) => void;
}

export const useThisDisplay = create<ThisDisplay>()((set) => ({
  id: kept(),
  choose: (id) => {
    try {
      localStorage.setItem(KEY, id);
    } catch {
      // a browser that keeps nothing: it holds until the page is closed
    }
    set({ id });
  },
}));
