// The lookup tables of images, fetched once for all frames of an instance that share them.

import { type Lookup, lookupOf, type StoredLookup } from "../frames/lookup";
import { FrameProblem, isOfImage } from "./problems";

export class Lookups {
  /** By the table as the metadata tell it: the frames of an instance share theirs. */
  private readonly known = new WeakMap<StoredLookup, Promise<Lookup | undefined>>();
  private readonly fetchTable: (url: string) => Promise<Uint8Array>;

  constructor(fetchTable: (url: string) => Promise<Uint8Array>) {
    this.fetchTable = fetchTable;
  }

  /** Undefined when the table is damaged; throws FrameProblem when it could not be fetched, which may pass. */
  of(stored: StoredLookup, signed: boolean): Promise<Lookup | undefined> {
    const known = this.known.get(stored) ?? this.made(stored, signed);
    this.known.set(stored, known);
    // What could not be had is asked for anew with the next frame.
    known.catch(() => this.known.delete(stored));
    return known;
  }

  private async made(stored: StoredLookup, signed: boolean): Promise<Lookup | undefined> {
    try {
      return lookupOf(stored, stored.data ?? (await this.fetchTable(stored.url ?? "")), signed);
    } catch (problem) {
      if (problem instanceof FrameProblem && isOfImage(problem.kind)) return undefined;
      throw problem;
    }
  }
}
