// Going elsewhere in the room, which is asked about first while it would lose something that is only here.

import { create } from "zustand";
import { holdTab } from "./unload";

/** What is not saved. */
export interface Unsaved {
  /** Names the words of the question (common:leave). */
  readonly what: "marks" | "masks" | "zones" | "form";
  /** Tells whether it succeeded; none: it can only be dropped. */
  readonly save: (() => Promise<boolean>) | undefined;
  readonly drop: () => void;
}

interface Leaving {
  /** Asked at the moment. */
  readonly question: Question | undefined;
}

/** What is asked about: things of one kind, or of several. */
interface Question extends Omit<Unsaved, "what"> {
  readonly what: Unsaved["what"] | "several";
  readonly go: () => void;
}

const held = new Map<string, Unsaved>();

export const useLeaving = create<Leaving>(() => ({ question: undefined }));

/** Tell what the one that is called `holder` has not saved, and when all is. */
export function hold(holder: string, unsaved: Unsaved | undefined): void {
  if (unsaved) held.set(holder, unsaved);
  else held.delete(holder);
  holdTab(holder, unsaved !== undefined);
}

/** Go, now or when somebody has said what becomes of what is lost by it: what these holders have, or everything. */
export function leave(go: () => void, holders: Iterable<string> = held.keys()): void {
  const lost = together([...holders].flatMap((holder) => held.get(holder) ?? []));
  if (lost) useLeaving.setState({ question: { ...lost, go } });
  else go();
}

export function stay(): void {
  useLeaving.setState({ question: undefined });
}

function together(all: readonly Unsaved[]): Omit<Question, "go"> | undefined {
  const [first] = all;
  if (!first) return undefined;
  const saveAll = async () => {
    for (const { save } of all) if (!(await save?.())) return false;
    return true;
  };
  return {
    what: all.every(({ what }) => what === first.what) ? first.what : "several",
    save: all.every(({ save }) => save) ? saveAll : undefined,
    drop: () => {
      for (const { drop } of all) drop();
    },
  };
}
