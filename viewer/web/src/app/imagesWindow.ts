// The worklist on one screen and the pictures on another: a window of its own in which the list's studies are opened.
// It is a room like any other; what is not saved in it is asked about there.

import { create } from "zustand";
import type { StudyKey } from "../api/queries";
import { leave } from "../ui/leaving";
import { placeOnOtherScreen } from "../ui/otherScreen";
import { randomName } from "../ui/randomName";
import { addressOf } from "./route";

const NAME = "vienanh-images-";

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

/** Whether this is the window of pictures. */
export function isImages(): boolean {
  return window.name.startsWith(NAME);
}

let opened: Window | null = null;
let id = "";
let line: BroadcastChannel | undefined;

function lineOf(): BroadcastChannel {
  if (isImages()) id = window.name.slice(NAME.length);
  else id ||= randomName();
  line ??= new BroadcastChannel(`vienanh ${id}`);
  return line;
}

export function toggleImagesWindow(): void {
  const { wanted } = useImagesWindow.getState();
  useImagesWindow.setState({ wanted: !wanted, blocked: false });
}

/** Open a study there. */
export async function showThere(study: StudyKey): Promise<void> {
  const listed = lineOf();
  if (opened && !opened.closed) {
    listed.postMessage({ kind: "show", study } satisfies Message);
    opened.focus();
    return;
  }
  const address = addressOf({ screen: "reading", ...study });
  opened = window.open(address, NAME + id, await placeOnOtherScreen());
  useImagesWindow.setState({ blocked: opened === null });
}

/** Nobody is signed in any more. */
export function closeThere(): void {
  if (opened) lineOf().postMessage({ kind: "close" } satisfies Message);
  opened = null;
}

/** In the window of pictures: ask the list for another case. */
export function stepThere(study: StudyKey, by: number): void {
  lineOf().postMessage({ kind: "step", study, by } satisfies Message);
}

/** In the window of pictures: there is no list to go back to. */
export function closeHere(): void {
  leave(() => window.close());
}

/** Hear the other window; returns what ends it. */
export function hearThere(onShow: (study: StudyKey) => void, onStep: (from: StudyKey, by: number) => void): () => void {
  const heard = ({ data }: MessageEvent<Message>) => {
    if (isImages() && data.kind === "show") onShow(data.study);
    if (isImages() && data.kind === "close") window.close();
    if (!isImages() && data.kind === "step") onStep(data.study, data.by);
  };
  const from = lineOf();
  from.addEventListener("message", heard);
  return () => from.removeEventListener("message", heard);
}
