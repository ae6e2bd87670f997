// What becomes of each file, and the sending, a few bodies at a time. No screen, no network of its own.

import type { Sent, UploadBody } from "../api/uploads";
import type { Chosen } from "./chosen";
import { type FileKind, HEAD_BYTES, kindOf, nextBatch } from "./kinds";

export type State = "waiting" | "sending" | "stored" | "passed" | "failed";

export interface Item {
  readonly id: number;
  readonly path: string;
  readonly bytes: number;
  readonly kind: FileKind;
  readonly state: State;
  /** Why it failed: a class of the node's errors, or empty. */
  readonly code: string;
  /** Of a zip: how many instances of it were stored, and how many files were not. */
  readonly inside: { readonly stored: number; readonly not: number } | undefined;
}

export interface Uploads {
  readonly items: readonly Item[];
  readonly bytes: number;
  readonly bytesSent: number;
  /** Studies of which something was stored, in the order in which they came. */
  readonly studies: readonly string[];
}

export type Send = (body: UploadBody, onProgress: (bytes: number) => void) => Promise<Sent>;

const BODIES_MAX = 2;
const NOTHING: Uploads = { items: [], bytes: 0, bytesSent: 0, studies: [] };

export class UploadQueue {
  #uploads = NOTHING;
  readonly #files = new Map<number, File>();
  readonly #sending = new Map<number, number>();
  readonly #listeners = new Set<() => void>();
  readonly #send: Send;
  readonly #onSlide: (file: File) => void;
  #bytesDone = 0;
  #nextId = 0;
  #bodies = 0;

  /** `onSlide` is given the vendors' slides, which go their own way. */
  constructor(send: Send, onSlide: (file: File) => void) {
    this.#send = send;
    this.#onSlide = onSlide;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly uploads = (): Uploads => this.#uploads;

  /** Take files; what is neither an instance, nor a zip, nor a slide is passed over. */
  async add(chosen: readonly Chosen[]): Promise<void> {
    const all = await Promise.all(chosen.map((one) => this.#item(one)));
    const items = all.filter(({ kind }) => kind !== "slide");
    all.forEach(({ kind }, index) => {
      const file = chosen[index]?.file;
      if (kind === "slide" && file) this.#onSlide(file);
    });
    this.#tell({ items: [...this.#uploads.items, ...items] });
    this.#go();
  }

  /** Send again what failed: what is already there does no harm. */
  retry(): void {
    const items = this.#uploads.items.map((item) =>
      item.state === "failed" ? { ...item, state: "waiting" as const, code: "", inside: undefined } : item,
    );
    this.#tell({ items });
    this.#go();
  }

  async #item({ file, path }: Chosen): Promise<Item> {
    const id = this.#nextId++;
    const head = await file
      .slice(0, HEAD_BYTES)
      .arrayBuffer()
      .catch(() => new ArrayBuffer(0));
    const kind = kindOf(file.name, new Uint8Array(head));
    if (kind === "instance" || kind === "zip") this.#files.set(id, file);
    return {
      id,
      path,
      bytes: file.size,
      kind,
      state: kind === "other" ? "passed" : "waiting",
      code: "",
      inside: undefined,
    };
  }

  #go(): void {
    while (this.#bodies < BODIES_MAX) {
      const batch = nextBatch(this.#uploads.items.filter((item) => item.state === "waiting"));
      if (batch.length === 0) return;
      this.#bodies += 1;
      this.#mark(new Map(batch.map((item) => [item.id, { state: "sending" as const }])));
      void this.#body(batch);
    }
  }

  async #body(batch: readonly Item[]): Promise<void> {
    const number = batch[0]?.id ?? 0;
    const files = batch.flatMap((item) => this.#files.get(item.id) ?? []);
    const isZip = batch[0]?.kind === "zip";
    const sent = await this.#send({ files, isZip }, (bytes) => {
      this.#sending.set(number, bytes);
      this.#tell({});
    });
    this.#sending.delete(number);
    this.#bytesDone += batch.reduce((bytes, item) => bytes + item.bytes, 0);
    this.#bodies -= 1;
    this.#end(batch, sent, isZip);
    this.#go();
  }

  #end(batch: readonly Item[], sent: Sent, isZip: boolean): void {
    const changes = new Map<number, Partial<Item>>();
    const studies = new Set(this.#uploads.studies);
    for (const result of sent.results) if (result.study) studies.add(result.study);
    const stored = sent.results.filter((result) => result.state === "stored").length;
    for (const [index, item] of batch.entries()) {
      const result = isZip ? undefined : sent.results[index];
      const isStored = isZip ? stored > 0 : result?.state === "stored";
      const code = isStored ? "" : (result?.code ?? sent.problem ?? sent.results[0]?.code ?? "");
      const inside = isZip && sent.results.length > 0 ? { stored, not: sent.results.length - stored } : undefined;
      changes.set(item.id, { state: isStored ? "stored" : "failed", code, inside });
      if (isStored) this.#files.delete(item.id);
    }
    this.#tell({ studies: [...studies] });
    this.#mark(changes);
  }

  #mark(changes: ReadonlyMap<number, Partial<Item>>): void {
    this.#tell({ items: this.#uploads.items.map((item) => ({ ...item, ...changes.get(item.id) })) });
  }

  #tell(changes: Partial<Uploads>): void {
    const items = changes.items ?? this.#uploads.items;
    const left = items.filter((item) => item.state === "waiting" || item.state === "sending");
    const sending = [...this.#sending.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (left.length === 0) this.#bytesDone = 0;
    const waiting = left.reduce((bytes, item) => bytes + item.bytes, 0);
    this.#uploads = {
      ...this.#uploads,
      ...changes,
      bytes: this.#bytesDone + waiting,
      bytesSent: Math.min(this.#bytesDone + sending, this.#bytesDone + waiting),
    };
    for (const listener of this.#listeners) listener();
  }
}
