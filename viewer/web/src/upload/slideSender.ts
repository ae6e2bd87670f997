// One slide on its way to the node: begun or found again, sent piece by piece, waited for. No screen, no network of its own.

import type { ProblemKind, Result } from "../api/result";
import type { SlideForm, SlideOnItsWay } from "../api/slideUploads";
import { createStore, type Store } from "../engine/emitter";
import type { SlideFile } from "./severalFiles";

/** The node, as far as it is needed here. */
export interface SlideNode {
  readonly begin: (file: SlideFile, form: SlideForm) => Promise<Result<SlideOnItsWay>>;
  readonly list: () => Promise<Result<readonly SlideOnItsWay[]>>;
  readonly look: (upload: string) => Promise<Result<SlideOnItsWay>>;
  readonly forget: (upload: string) => Promise<Result<void>>;
  readonly send: (
    upload: string,
    offset: number,
    piece: Blob,
    onProgress: (bytes: number) => void,
    signal: AbortSignal,
  ) => Promise<boolean>;
  readonly wait: (milliseconds: number) => Promise<void>;
}

export type Progress =
  /** Nobody has said yet whose it is. */
  | { readonly step: "asked" }
  | { readonly step: "sending"; readonly sent: number; readonly broken: boolean }
  /** It is there; the node takes it in. */
  | { readonly step: "taking"; readonly state: SlideOnItsWay["state"]; readonly part: number }
  | { readonly step: "stored"; readonly study: string; readonly lossy: boolean }
  | { readonly step: "failed"; readonly code: string }
  /** Somebody wants it no more. What the node has of it: nothing, not told yet, or dropped. */
  | { readonly step: "cancelled"; readonly there: "nothing" | "untold" | "dropped" };

export const PIECE_BYTES = 8 * 1024 * 1024;
const WAIT_MS = 2_000;
const WAIT_MS_MAX = 30_000;
const LOOK_MS = 1_000;
const UNDER_WAY: ReadonlySet<SlideOnItsWay["state"]> = new Set(["receiving", "waiting", "decoding", "storing"]);
/** What another try does not mend. */
const FINAL: ReadonlySet<ProblemKind> = new Set(["denied", "missing", "invalid", "signedOut"]);

export class SlideSender {
  readonly file: SlideFile;
  readonly progress: Store<Progress> = createStore<Progress>({ step: "asked" });
  private readonly node: SlideNode;
  private readonly cancelling = new AbortController();
  private upload: string | undefined;
  private waitMs = WAIT_MS;
  private stopped = false;

  constructor(file: SlideFile, node: SlideNode) {
    this.file = file;
    this.node = node;
  }

  /** Go on with what was begun before, by name and size, if the node knows of it; whose it is was said then. */
  async resume(): Promise<void> {
    const known = await this.node.list();
    const { name, size } = this.file;
    const same = known.ok
      ? known.value.find((one) => UNDER_WAY.has(one.state) && one.name === name && one.bytes === size)
      : undefined;
    if (same && this.progress.get().step === "asked") await this.goOn(same);
  }

  /** Say why it cannot even be begun. */
  refuse(code: string): void {
    this.tell({ step: "failed", code });
  }

  /** Send it as the slide of the form's patient. */
  async begin(form: SlideForm): Promise<void> {
    this.tell({ step: "sending", sent: 0, broken: false });
    const begun = await this.node.begin(this.file, form);
    if (begun.ok) await this.goOn(begun.value);
    else this.tell({ step: "failed", code: begun.problem.kind });
  }

  /** Send no further piece; the node knows where to go on. */
  stop(): void {
    this.stopped = true;
  }

  /** Send nothing more, and have the node drop what it has; it is told as soon as it answers. */
  async cancel(): Promise<void> {
    this.stop();
    this.progress.set({ step: "cancelled", there: "nothing" });
    this.cancelling.abort();
    await this.forget();
  }

  private async forget(): Promise<void> {
    if (this.upload === undefined) return;
    this.progress.set({ step: "cancelled", there: "untold" });
    for (let waitMs = WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, WAIT_MS_MAX)) {
      const told = await this.node.forget(this.upload);
      if (told.ok || told.problem.kind === "missing") return this.progress.set({ step: "cancelled", there: "dropped" });
      if (FINAL.has(told.problem.kind)) return;
      await this.node.wait(waitMs);
    }
  }

  private tell(progress: Progress): void {
    if (!this.stopped) this.progress.set(progress);
  }

  private async goOn(begun: SlideOnItsWay): Promise<void> {
    this.upload = begun.upload;
    if (this.cancelling.signal.aborted) return this.forget();
    let now = begun;
    while (now.state !== "stored" && now.state !== "failed") {
      if (this.stopped) return;
      if (now.state === "receiving") await this.piece(now);
      else await this.taken(now);
      const next = await this.look(now.upload);
      if (typeof next === "string") {
        this.tell({ step: "failed", code: next });
        return;
      }
      now = next;
    }
    this.tell(
      now.state === "stored"
        ? { step: "stored", study: now.study, lossy: now.lossy }
        : { step: "failed", code: now.code },
    );
  }

  private async piece({ upload, offset }: SlideOnItsWay): Promise<void> {
    const tell = (bytes: number) => this.tell({ step: "sending", sent: offset + bytes, broken: false });
    tell(0);
    const piece = this.file.slice(offset, offset + PIECE_BYTES);
    const arrived = await this.node.send(upload, offset, piece, tell, this.cancelling.signal);
    if (arrived) this.waitMs = WAIT_MS;
    else await this.broken(offset);
  }

  private async broken(offset: number): Promise<void> {
    if (this.stopped) return;
    this.tell({ step: "sending", sent: offset, broken: true });
    await this.node.wait(this.waitMs);
    this.waitMs = Math.min(this.waitMs * 1.5, WAIT_MS_MAX);
  }

  private async taken({ state, done, total }: SlideOnItsWay): Promise<void> {
    this.tell({ step: "taking", state, part: total > 0 ? done / total : 0 });
    await this.node.wait(LOOK_MS);
  }

  /** How it is, asked until somebody answers; the kind of a problem that will stay. */
  private async look(upload: string): Promise<SlideOnItsWay | ProblemKind> {
    while (!this.stopped) {
      const told = await this.node.look(upload);
      if (told.ok) return told.value;
      if (FINAL.has(told.problem.kind)) return told.problem.kind;
      const progress = this.progress.get();
      await this.broken(progress.step === "sending" ? progress.sent : this.file.size);
    }
    return "offline";
  }
}
