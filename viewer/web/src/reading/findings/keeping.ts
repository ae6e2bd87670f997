// A state of a study that a person works on and saves: opened once, kept when they say so, refused when somebody else
// was faster. No React.

import type { ProblemKind, Result } from "../../api/result";
import { createStore, type Store } from "../../engine/emitter";

/** What the node told with a state. */
export interface Told {
  /** SOP Instance UID of the document; null while nothing was saved. */
  readonly instance: string | null;
  readonly author: string;
  readonly at: string | null;
}

export interface KeepingState extends Told {
  readonly opened: boolean;
  readonly saving: boolean;
  /** Why the last saving or opening failed; "changed" when somebody else saved since. */
  readonly problem: ProblemKind | "changed" | undefined;
}

const CONFLICT = 409;
/** How often in one saving somebody else may be faster. */
const MEETINGS_MAX = 3;
const NOTHING: KeepingState = {
  instance: null,
  author: "",
  at: null,
  opened: false,
  saving: false,
  problem: undefined,
};

export interface Ways<State extends Told> {
  readonly open: () => Promise<Result<State>>;
  readonly save: (base: string | null) => Promise<Result<State>>;
  /** The state came from the node. */
  readonly onOpened: (state: State) => void;
  /** What was sent is kept, as this document. */
  readonly onSaved: (instance: string | null) => void;
  /** Somebody else saved this since. Bring both together, or return false where that is a person's to decide. */
  readonly meet?: (theirs: State) => boolean;
}

export class Keeping<State extends Told> {
  readonly state: Store<KeepingState> = createStore(NOTHING);
  private readonly ways: Ways<State>;
  private ended = false;

  constructor(ways: Ways<State>) {
    this.ways = ways;
  }

  async open(): Promise<void> {
    const result = await this.ways.open();
    if (this.ended) return;
    this.settle(result, true);
    if (result.ok) this.ways.onOpened(result.value);
  }

  async save(): Promise<void> {
    const before = this.state.get();
    if (before.saving) return;
    this.state.set({ ...before, saving: true });
    let result = await this.ways.save(before.instance);
    for (let met = 0; met < MEETINGS_MAX && isBehind(result) && this.ways.meet; met += 1) {
      const theirs = await this.ways.open();
      if (this.ended || !theirs.ok || !this.ways.meet(theirs.value)) break;
      result = await this.ways.save(theirs.value.instance);
    }
    if (this.ended) return;
    if (result.ok) this.ways.onSaved(result.value.instance);
    this.settle(result, before.opened);
  }

  /** That the node was out of reach is no news any more. */
  lineIsBack(): void {
    const state = this.state.get();
    if (state.problem === "offline") this.state.set({ ...state, problem: undefined });
  }

  end(): void {
    this.ended = true;
  }

  private settle(result: Result<State>, opened: boolean): void {
    if (result.ok) {
      const { instance, author, at } = result.value;
      this.state.set({ instance, author, at, opened, saving: false, problem: undefined });
      return;
    }
    const problem = isBehind(result) ? "changed" : result.problem.kind;
    this.state.set({ ...this.state.get(), saving: false, problem });
  }
}

/** Whether somebody else was faster. */
function isBehind<State>(result: Result<State>): boolean {
  return !result.ok && result.problem.status === CONFLICT;
}
