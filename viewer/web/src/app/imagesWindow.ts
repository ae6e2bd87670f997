// The worklist on one screen and the pictures on another: a window of its own in which the list's studies are opened.
// It is a room like any other; what is not saved in it is asked about there.

import { create } from "zustand";
import type { StudyKey } from "../api/queries";
import { leave } from "../ui/leaving";
import { OtherWindow } from "../ui/otherWindow";
import { addressOf } from "./route";

type Message =
  | { readonly kind: "show"; readonly study: StudyKey }
  /** The window of pictures asks the list for the case so many places further than this one. */
  | { readonly kind: "step"; readonly study: StudyKey; readonly by: number }
  | { readonly kind: "close" };

interface ImagesWindow {
  /** Whether the list's studies are opened there. */
  readonly wanted: boolean;
  /** The browser did not let it open. */
  readonly blocked: boolean;
}

export const useImagesWindow = create<ImagesWindow>(() => ({ wanted: false, blocked: false }));

const other = new OtherWindow<Message>("vienanh-images-");

/** Whether this is the window of pictures. */
export function isImages(): boolean {
  return other.isHere();
}

export function toggleImagesWindow(): void {
  const { wanted } = useImagesWindow.getState();
  useImagesWindow.setState({ wanted: !wanted, blocked: false });
}

/** Open a study there. */
export async function showThere(study: StudyKey): Promise<void> {
  const isShown = await other.show(addressOf({ screen: "reading", ...study }), { kind: "show", study });
  useImagesWindow.setState({ blocked: !isShown });
}

/** Nobody is signed in any more. */
export function closeThere(): void {
  if (other.wasOpened()) other.tell({ kind: "close" });
  other.forget();
}

/** In the window of pictures: ask the list for another case. */
export function stepThere(study: StudyKey, by: number): void {
  other.tell({ kind: "step", study, by });
}

/** In the window of pictures: there is no list to go back to. */
export function closeHere(): void {
  leave(() => window.close());
}

/** Hear the other window; returns what ends it. */
export function hearThere(onShow: (study: StudyKey) => void, onStep: (from: StudyKey, by: number) => void): () => void {
  return other.hear((message) => {
    if (isImages() && message.kind === "show") onShow(message.study);
    if (isImages() && message.kind === "close") window.close();
    if (!isImages() && message.kind === "step") onStep(message.study, message.by);
  });
}
