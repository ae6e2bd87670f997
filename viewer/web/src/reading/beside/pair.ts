// Two windows of one reading, on two screens: the room, and the second window that it opened. What one tells, the other
// hears; nobody else does, for the name between them is the room's own. No React.

import type { StudyKey } from "../../api/queries";
import { addressAt } from "../../api/queries";
import { createStore, type Store } from "../../engine/emitter";
import type { Slice } from "../../engine/stack/linked";
import { OtherWindow } from "../../ui/otherWindow";

export type Message =
  /** The second window is there and asks what it shall show. */
  | { readonly kind: "hello" }
  | { readonly kind: "show"; readonly study: StudyKey; readonly series: string | undefined }
  /** The second window asks the room for the case so many places further. */
  | { readonly kind: "step"; readonly by: number }
  | { readonly kind: "close" }
  /** The room's page goes; it is back soon where it is only loaded anew. */
  | { readonly kind: "away" }
  | { readonly kind: "back" }
  /** A picture asks where the other window's stands. */
  | { readonly kind: "here" }
  | Place
  | Work
  | { readonly kind: "ask"; readonly study: StudyKey; readonly part: string };

/** Where a picture stands in a stack (`epoch`, another one whenever slices came). */
export interface Place {
  readonly kind: "place";
  readonly epoch: string;
  readonly index: number;
  readonly slice: Slice | undefined;
}

/** What is not saved of a part of a study, as a draft says it; `instance`: the saved state that it changes. */
export interface Work {
  readonly kind: "work";
  readonly study: StudyKey;
  readonly part: string;
  readonly instance: string | null;
  readonly content: string;
}

const second = new OtherWindow<Message>("vienanh-second-");

/** Whether this is the second window. */
export function isSecond(): boolean {
  return second.isHere();
}

/** The browser did not let a second window open. */
export const blocked: Store<boolean> = createStore(false);

let wanted: { readonly study: StudyKey; readonly series: string | undefined } | undefined;
let rooms = 0;
/** How long the second window waits for its room to be loaded anew. */
const AWAY_MS = 10_000;
let alone: ReturnType<typeof setTimeout> | undefined;

/** Tell the other window, if there is one. */
export function tell(message: Message): void {
  if (isSecond() || second.wasOpened()) second.tell(message);
}

/** Hear the other window; returns what ends it. */
export function hear(listener: (message: Message) => void): () => void {
  second.hear(heed);
  return second.hear(listener);
}

/** Also when this window's own reading has ended, as where its session did before the room's. */
function heed({ kind }: Message): void {
  if (!isSecond()) return;
  clearTimeout(alone);
  if (kind === "close") window.close();
  if (kind === "away") alone = setTimeout(() => window.close(), AWAY_MS);
}

/** Show a series in the second window, on another screen where the browser knows one. */
export async function openSecond(study: StudyKey, series: string | undefined): Promise<void> {
  wanted = { study, series };
  window.addEventListener("pagehide", goAway);
  blocked.set(!(await second.show(addressAt(study, `/study/${study.studyInstanceUid}`), { kind: "show", ...wanted })));
}

/** End the second window with the room. */
function closeSecond(): void {
  tell({ kind: "close" });
  second.forget();
}

function goAway(): void {
  second.leave();
  tell({ kind: "away" });
}

/** What the second window shall show, for its first question. */
export function wantedThere() {
  return wanted;
}

/** A reading is open here. Returns what ends it: when no other follows at once, the second window goes, too. */
export function enterRoom(study: StudyKey): () => void {
  rooms += 1;
  if (second.wasOpened() && !(wanted && isSame(wanted.study, study))) {
    if (!wanted) window.addEventListener("pagehide", goAway);
    tell(wanted ? { kind: "show", study, series: undefined } : { kind: "back" });
    wanted = { study, series: undefined };
  }
  return () => {
    rooms -= 1;
    setTimeout(() => {
      if (rooms === 0 && second.wasOpened()) closeSecond();
    });
  };
}

export function isSame(one: StudyKey, other: StudyKey): boolean {
  return one.studyInstanceUid === other.studyInstanceUid && one.site === other.site;
}
