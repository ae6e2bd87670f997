// What becomes of each file, and the sending, a few bodies at a time. No screen, no network of its own.

import type { Sent, UploadBody } from "../api/uploads";
import type { Chosen } from "./chosen";
import { type FileKind, HEAD_BYTES, kindOf, nextBatch } from "./kinds";
import { type Grouped, grouped, hasMirax, slideOf } from "./severalFiles";

export type State = "waiting" | "sending" | "stored" | "here" | "passed" | "failed";

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

export interface UploadNode {
  /** The study of each file that is there already, byte for byte. */
  readonly known: (files: readonly File[]) => Promise<readonly (string | undefined)[]>;
  readonly send: (body: UploadBody, onProgress: (bytes: number) => void) => Promise<Sent>;
}

const BODIES_MAX = 2;
const NOTHING: Uploads = { items: [], bytes: 0, bytesSent: 0, studies: [] };

export class UploadQueue {
  #uploads = NOTHING;
  readonly #files = new Map<number, File>();
  readonly #sending = new Map<number, number>();
  readonly #listeners = new Set<() => void>();
  readonly #node: UploadNode;
  readonly #onSlide: (slide: Grouped) => void;
  #bytesDone = 0;
  #nextId = 0;
  #bodies = 0;

  /** `onSlide` is given the vendors' slides, which go their own way. */
  constructor(node: UploadNode, onSlide: (slide: Grouped) => void) {
    this.#node = node;
    this.#onSlide = onSlide;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly uploads = (): Uploads => this.#uploads;

  /** Take files; what is neither an instance, nor a zip, nor a slide is passed over. */
  async add(chosen: readonly Chosen[]): Promise<void> {
    const { slides, rest } = grouped(chosen);
    for (const slide of slides) this.#onSlide(slide);
    const all = await Promise.all(rest.map((one) => this.#item(one)));
    const items = all.filter(({ kind }) => kind !== "slide");
    all.forEach(({ kind }, index) => {
      const file = rest[index]?.file;
      if (kind === "slide" && file) this.#onSlide({ slide: slideOf(file), lacks: undefined });
    });
    this.#tell({ items: [...this.#uploads.items, ...items] });
    this.#go();
  }

  /** Send again what failed. */
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
    const plain = kindOf(file.name, new Uint8Array(head));
    const kind = plain === "zip" && (await hasMirax(file).catch(() => false)) ? "slide" : plain;
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
    const isZip = batch[0]?.kind === "zip";
    const rest = isZip ? batch : await this.#unknown(batch);
    if (rest.length > 0) await this.#sent(rest, isZip);
    this.#bodies -= 1;
    this.#go();
  }

  /** Those that the node has not: what was put in before the line broke, or the page was closed, is not sent again. */
  async #unknown(batch: readonly Item[]): Promise<readonly Item[]> {
    const known = await this.#node.known(this.#filesOf(batch));
    const here = batch.filter((_, index) => known[index] !== undefined);
    this.#done(here, new Map(here.map((item) => [item.id, { state: "here" as const }])), known);
    return batch.filter((item) => !here.includes(item));
  }

  async #sent(batch: readonly Item[], isZip: boolean): Promise<void> {
    const number = batch[0]?.id ?? 0;
    const sent = await this.#node.send({ files: this.#filesOf(batch), isZip }, (bytes) => {
      this.#sending.set(number, bytes);
      this.#tell({});
    });
    this.#sending.delete(number);
    this.#end(batch, sent, isZip);
  }

  #filesOf(batch: readonly Item[]): readonly File[] {
    return batch.flatMap((item) => this.#files.get(item.id) ?? []);
  }

  #end(batch: readonly Item[], sent: Sent, isZip: boolean): void {
    const changes = new Map<number, Partial<Item>>();
    const stored = sent.results.filter((result) => result.state === "stored").length;
    for (const [index, item] of batch.entries()) {
      const result = isZip ? undefined : sent.results[index];
      const isStored = isZip ? stored > 0 : result?.state === "stored";
      const code = isStored ? "" : (result?.code ?? sent.problem ?? sent.results[0]?.code ?? "");
      const inside = isZip && sent.results.length > 0 ? { stored, not: sent.results.length - stored } : undefined;
      changes.set(item.id, { state: isStored ? "stored" : "failed", code, inside });
    }
    this.#done(
      batch,
      changes,
      sent.results.map((result) => result.study),
    );
  }

  /** Note what became of a batch, and the studies that its files are of. */
  #done(
    batch: readonly Item[],
    changes: ReadonlyMap<number, Partial<Item>>,
    studies: readonly (string | undefined)[],
  ): void {
    this.#bytesDone += batch.reduce((bytes, item) => bytes + item.bytes, 0);
    for (const [id, { state }] of changes) if (state !== "failed") this.#files.delete(id);
    this.#tell({
      studies: [...new Set([...this.#uploads.studies, ...studies.filter((study) => study !== undefined)])],
    });
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
