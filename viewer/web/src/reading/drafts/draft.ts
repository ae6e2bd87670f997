// One part of a study that is worked on: what is not saved of it is kept as a draft, at the node, and until the node has
// it sealed in this browser. No React.

import { keepDraft, openDraft, type Part } from "../../api/drafts";
import type { StudyKey } from "../../api/queries";
import type { Problem } from "../../api/result";
import { createStore, type Store } from "../../engine/emitter";
import { BrowserCopy } from "./browserCopy";
import { CHARACTERS_MAX } from "./sealed";

export interface DraftState {
  /** Where what is not saved would be found again; "saved": nothing is unsaved. */
  readonly kept: "saved" | "node" | "browser" | "nowhere";
  /** When what came back from a draft was kept; undefined when nothing came back, or it was seen. */
  readonly restored: Date | undefined;
  /** Another window keeps this draft; or it is longer, or one more, than the node takes. */
  readonly problem: "changed" | "refused" | undefined;
}

export interface Ways {
  /** What is not saved, as text; empty: nothing. */
  readonly written: () => string;
  /** Lay what a draft says under what is not saved here. */
  readonly lay: (content: string) => void;
  /** Go back to what is saved. */
  readonly drop: () => void;
  /** What another window keeps is laid under what is here at once; otherwise somebody is asked. */
  readonly merges?: boolean;
}

/** A mark that is drawn changes at every move of the mouse. */
const GATHER_MS = 300;
const RETRY_MS: readonly number[] = [2_000, 4_000, 8_000, 16_000, 32_000];
const RETRY_MOST_MS = 60_000;
/** How often it is asked whether the other window is done. */
const OTHER_MS = 5_000;
const CONFLICT = 409;
const TOO_LARGE = 413;
const OTHER: Problem = { kind: "invalid", status: CONFLICT, retryAfterS: undefined };
const NOTHING: DraftState = { kept: "saved", restored: undefined, problem: undefined };

/** Every draft of this window, for the page to tell of; another list whenever one has another state. */
export const drafts: Store<readonly Draft[]> = createStore<readonly Draft[]>([]);

export class Draft {
  private now: DraftState = NOTHING;
  private readonly study: StudyKey;
  private readonly part: Part;
  private readonly ways: Ways;
  private readonly copy: BrowserCopy;
  private readonly keeps: boolean;
  /** What should be kept, what the node was sent last, and what it has, in which version. */
  private content = "";
  private sent = "";
  private told = "";
  private version = 0;
  /** Whether what is saved is here, so that a draft can be laid over it; whether the node's draft was. */
  private ready = false;
  private opened = false;
  private sending = false;
  private refused = false;
  private ended = false;
  private failures = 0;
  private gathering: ReturnType<typeof setTimeout> | undefined;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private readonly again = () => void this.send();
  private readonly gather = () => this.settle();

  /** `keeps`: false where another window keeps what is not saved here. */
  constructor(study: StudyKey, part: Part, ways: Ways, keeps = true) {
    this.study = study;
    this.part = part;
    this.ways = ways;
    this.keeps = keeps;
    this.copy = new BrowserCopy(JSON.stringify([study.site ?? "", study.studyInstanceUid, part]));
    drafts.set([...drafts.get(), this]);
    window.addEventListener("online", this.again);
    window.addEventListener("pagehide", this.gather);
  }

  get state(): DraftState {
    return this.now;
  }

  /** What is saved is here: bring back what was not, from this browser and from the node. */
  async open(): Promise<void> {
    if (this.ready || this.ended || !this.keeps) return;
    this.ready = true;
    const left = await this.copy.take();
    if (this.ended) return;
    for (const { content, at } of [...left].reverse()) this.restore(content, new Date(at));
    await this.send();
  }

  /** Something was drawn, moved, taken away or saved. */
  note(): void {
    this.gathering ??= setTimeout(this.gather, GATHER_MS);
  }

  /** Take over what another window keeps. */
  async merge(): Promise<void> {
    this.tell({ problem: undefined });
    this.opened = false;
    await this.send();
  }

  /** What is not saved is not wanted. */
  drop(): void {
    this.ways.drop();
    this.settle();
  }

  seen(): void {
    this.tell({ restored: undefined });
  }

  /** The room is left; `dropped`: and what is not saved is not wanted. */
  end(dropped = false): void {
    if (dropped) this.keep("");
    else this.settle();
    this.ended = true;
    clearTimeout(this.gathering);
    clearTimeout(this.waiting);
    window.removeEventListener("online", this.again);
    window.removeEventListener("pagehide", this.gather);
    drafts.set(drafts.get().filter((one) => one !== this));
  }

  private settle(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    if (!this.ended) this.keep(this.ways.written());
  }

  private restore(content: string, at: Date): void {
    const before = this.content;
    this.ways.lay(content);
    this.settle();
    if (this.content !== before && !this.now.restored) this.tell({ restored: at });
  }

  private keep(content: string): void {
    if (content === this.content || !this.keeps) return;
    this.content = content;
    const { problem } = this.now;
    const other = problem === "refused" ? undefined : problem;
    if (content === "") this.tell({ kept: "saved", restored: undefined, problem: undefined });
    else this.tell({ kept: "nowhere", problem: content.length > CHARACTERS_MAX ? "refused" : other });
    void this.keepHere(content);
    void this.send();
  }

  private async keepHere(content: string): Promise<void> {
    if (content === "") await this.copy.remove();
    else if ((await this.copy.put(content)) && content === this.content && content !== this.told)
      this.tell({ kept: "browser" });
  }

  /** One at a time, until the node has what is here; what fails is tried again. */
  private async send(): Promise<void> {
    if (this.sending || !this.ready || this.refused) return;
    this.sending = true;
    clearTimeout(this.waiting);
    let failed: Problem | undefined;
    while (!failed && this.hasNews()) failed = await this.step();
    this.sending = false;
    if (failed) this.fail(failed);
    else this.failures = 0;
  }

  private hasNews(): boolean {
    if (this.now.problem === "refused") return false;
    return this.opened ? this.content !== this.told : !this.ended;
  }

  private step(): Promise<Problem | undefined> {
    if (!this.opened) return this.askNode();
    return this.now.problem === "changed" ? this.compare() : this.tellNode();
  }

  private async askNode(): Promise<Problem | undefined> {
    const result = await openDraft(this.study, this.part);
    if (!result.ok) return result.problem;
    if (this.ended) return undefined;
    const { version, content, at } = result.value;
    this.adopt(version, content);
    if (content !== "") this.restore(content, at ? new Date(at) : new Date());
    this.arrived();
    return undefined;
  }

  private async tellNode(): Promise<Problem | undefined> {
    const content = this.content;
    this.sent = content;
    const result = await keepDraft(this.study, this.part, this.version, content);
    if (!result.ok) return result.problem.status === CONFLICT ? this.compare() : result.problem;
    this.adopt(result.value.version, content);
    this.arrived();
    return undefined;
  }

  /** Somebody was faster: perhaps we ourselves, whose answer was lost on the way, or who saved or dropped it. */
  private async compare(): Promise<Problem | undefined> {
    const result = await openDraft(this.study, this.part);
    if (!result.ok) return result.problem;
    const { version, content } = result.value;
    const isOthers = content !== "" && content !== this.sent;
    if (isOthers && !this.ways.merges) return OTHER;
    this.tell({ problem: undefined });
    this.adopt(version, content);
    if (isOthers) {
      this.ways.lay(content);
      this.settle();
    }
    this.arrived();
    return undefined;
  }

  private adopt(version: number, content: string): void {
    this.opened = true;
    this.version = version;
    this.told = content;
  }

  private arrived(): void {
    if (this.content !== this.told) return;
    if (this.content !== "") this.tell({ kept: "node" });
    void this.copy.remove();
  }

  private fail({ kind, status, retryAfterS }: Problem): void {
    if (status === CONFLICT) this.meet();
    else if (status === TOO_LARGE) this.tell({ problem: "refused" });
    else if (kind === "denied" || kind === "missing" || kind === "invalid") this.refused = true;
    else if (!this.ended) {
      const wait = Math.max(RETRY_MS[this.failures] ?? RETRY_MOST_MS, (retryAfterS ?? 0) * 1_000);
      this.failures += 1;
      this.waiting = setTimeout(this.again, wait);
    }
  }

  /** Another window is at it, for now. */
  private meet(): void {
    if (this.ended) return;
    if (this.content === "") {
      this.told = ""; // what is there is the other's
      return;
    }
    this.tell({ problem: "changed" });
    clearTimeout(this.waiting);
    this.waiting = setTimeout(this.again, OTHER_MS);
  }

  private tell(some: Partial<DraftState>): void {
    this.now = { ...this.now, ...some };
    drafts.set([...drafts.get()]);
  }
}
