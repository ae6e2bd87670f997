// What is not saved of a part of a study, the same in both windows of a reading. No React.

import type { StudyKey } from "../../api/queries";
import { hear, isSame, type Message, tell, type Work } from "./pair";

export interface SharedWays {
  /** The saved state that is worked on. */
  readonly instance: () => string | null;
  /** What is not saved, as text. */
  readonly written: () => string;
  /** Have this in the place of what is not saved. */
  readonly become: (content: string) => void;
  /** The other window saved: have the saved state again. */
  readonly reopen: () => void;
}

/** A mark that is drawn changes at every move of the mouse. */
const GATHER_MS = 60;

export class Shared {
  private readonly study: StudyKey;
  private readonly part: string;
  private readonly ways: SharedWays;
  private readonly stop: () => void;
  private said = "";
  private pending: Work | undefined;
  private gathering: ReturnType<typeof setTimeout> | undefined;

  constructor(study: StudyKey, part: string, ways: SharedWays) {
    this.study = study;
    this.part = part;
    this.ways = ways;
    this.stop = hear((message) => this.hear(message));
  }

  /** The saved state is here. */
  opened(): void {
    const { pending } = this;
    this.pending = undefined;
    if (pending) this.become(pending.content);
    else tell({ kind: "ask", study: this.study, part: this.part });
  }

  /** Something changed here. */
  note(): void {
    this.gathering ??= setTimeout(() => this.say(), GATHER_MS);
  }

  end(): void {
    clearTimeout(this.gathering);
    this.stop();
  }

  private say(asked = false): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    const state = this.state();
    if (state === this.said && !asked) return;
    this.said = state;
    const [instance, content] = [this.ways.instance(), this.ways.written()];
    tell({ kind: "work", study: this.study, part: this.part, instance, content });
  }

  private hear(message: Message): void {
    if (message.kind !== "work" && message.kind !== "ask") return;
    if (message.part !== this.part || !isSame(message.study, this.study)) return;
    if (message.kind === "ask") this.say(true);
    else if (message.instance === this.ways.instance()) this.become(message.content);
    else {
      this.pending = message;
      this.ways.reopen();
    }
  }

  private become(content: string): void {
    if (content !== this.ways.written()) this.ways.become(content);
    this.said = this.state();
  }

  private state(): string {
    return `${this.ways.instance()} ${this.ways.written()}`;
  }
}
