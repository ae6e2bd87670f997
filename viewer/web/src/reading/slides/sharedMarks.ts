// The marks of one slide that is open in several windows of one reader: what is not saved is the same in all of them.
// Each change of a mark goes over by itself and has a stamp (a Lamport clock and the window's name), and of two changes of
// one mark the later counts in every window, so nothing is lost to what is drawn elsewhere. No React.

import type { Mark } from "../../engine/slides/marks";
import { Line } from "../../ui/line";
import { randomName } from "../../ui/randomName";
import type { Changes, IsSame } from "../drafts/changes";

interface Stamp {
  readonly time: number;
  readonly window: string;
}

/** A mark as it became; undefined: it was taken away. */
interface Change {
  readonly uid: string;
  readonly mark: Mark | undefined;
  readonly stamp: Stamp;
}

type Message =
  /** A window has the slide now, and asks what is not saved. */
  | { readonly kind: "ask"; readonly from: string }
  | { readonly kind: "here"; readonly from: string }
  | { readonly kind: "left"; readonly from: string }
  | { readonly kind: "changed"; readonly changes: readonly Change[] }
  | { readonly kind: "saved"; readonly instance: string | null };

interface SharedWays {
  readonly isSame: IsSame<Mark>;
  /** What is not saved here. */
  readonly unsaved: () => Changes<Mark>;
  /** Have these marks. */
  readonly become: (marks: readonly Mark[]) => void;
  /** Another window saved: have the saved state again. */
  readonly onSaved: (instance: string | null) => void;
}

export class SharedMarks {
  private readonly window = randomName();
  private readonly line: Line<Message>;
  private readonly ways: SharedWays;
  /** Which other windows have the slide. */
  private readonly others = new Set<string>();
  private readonly stamps = new Map<string, Stamp>();
  /** Taken away while this window had the slide, here or elsewhere. */
  private readonly gone = new Set<string>();
  private shown: readonly Mark[] = [];
  private time = 0;
  private readonly leave = () => this.line.tell({ kind: "left", from: this.window });

  /** `key` names slide and person. */
  constructor(key: string, ways: SharedWays) {
    this.ways = ways;
    this.line = new Line<Message>(`slide ${key}`);
    this.line.hear((message) => this.hear(message));
    window.addEventListener("pagehide", this.leave);
  }

  /** What was saved is here, and with it these marks, of which nobody need be told; others may have more. */
  opened(marks: readonly Mark[]): void {
    this.shown = marks;
    this.line.tell({ kind: "ask", from: this.window });
  }

  /** Whether it was taken away, so that an older draft that still has it is not believed. */
  isGone(uid: string): boolean {
    return this.gone.has(uid);
  }

  /** These are the marks now: tell what changed. */
  note(now: readonly Mark[]): void {
    const before = new Map(this.shown.map((mark) => [mark.uid, mark]));
    const put = now.filter((mark) => mark !== before.get(mark.uid));
    const here = new Set(now.map(({ uid }) => uid));
    const removed = this.shown.map(({ uid }) => uid).filter((uid) => !here.has(uid));
    this.shown = now;
    if (put.length + removed.length === 0) return;
    const stamp = { time: ++this.time, window: this.window };
    for (const { uid } of put) this.mind(uid, stamp, false);
    for (const uid of removed) this.mind(uid, stamp, true);
    this.say({ put, removed });
  }

  saved(instance: string | null): void {
    this.line.tell({ kind: "saved", instance });
  }

  /** Whether another window has the slide, and with it all that is not saved here. */
  isElsewhere(): boolean {
    return this.others.size > 0;
  }

  end(): void {
    window.removeEventListener("pagehide", this.leave);
    this.leave();
    this.line.end();
  }

  private say({ put, removed }: Changes<Mark>): void {
    const changes = [
      ...put.map((mark) => ({ uid: mark.uid, mark, stamp: this.stampOf(mark.uid) })),
      ...removed.map((uid) => ({ uid, mark: undefined, stamp: this.stampOf(uid) })),
    ];
    if (changes.length > 0) this.line.tell({ kind: "changed", changes });
  }

  private hear(message: Message): void {
    switch (message.kind) {
      case "ask":
        this.others.add(message.from);
        this.line.tell({ kind: "here", from: this.window });
        this.say(this.ways.unsaved());
        break;
      case "here":
        this.others.add(message.from);
        break;
      case "left":
        this.others.delete(message.from);
        break;
      case "saved":
        this.ways.onSaved(message.instance);
        break;
      case "changed":
        this.follow(message.changes);
    }
  }

  private follow(changes: readonly Change[]): void {
    const news = changes.filter(({ uid, stamp }) => !isLater(this.stampOf(uid), stamp));
    for (const { uid, stamp, mark } of news) this.mind(uid, stamp, mark === undefined);
    const becoming = new Map(news.map(({ uid, mark }) => [uid, mark]));
    const marks = this.shown.flatMap((mark) => {
      const other = becoming.has(mark.uid) ? becoming.get(mark.uid) : mark;
      becoming.delete(mark.uid);
      if (!other) return [];
      return this.ways.isSame(mark, other) ? mark : other;
    });
    marks.push(...[...becoming.values()].filter((mark) => mark !== undefined));
    const isNew = marks.length !== this.shown.length || marks.some((mark, index) => mark !== this.shown[index]);
    if (!isNew) return;
    this.shown = marks;
    this.ways.become(marks);
  }

  private mind(uid: string, stamp: Stamp, isGone: boolean): void {
    this.time = Math.max(this.time, stamp.time);
    this.stamps.set(uid, stamp);
    if (isGone) this.gone.add(uid);
    else this.gone.delete(uid);
  }

  /** What was never changed while it was open here is older than any change. */
  private stampOf(uid: string): Stamp {
    return this.stamps.get(uid) ?? { time: 0, window: "" };
  }
}

function isLater(one: Stamp, other: Stamp): boolean {
  return one.time === other.time ? one.window > other.window : one.time > other.time;
}
