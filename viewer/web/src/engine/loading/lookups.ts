// The lookup tables of images, fetched once for all frames of an instance that share them.

import { type Lookup, lookupOf, type StoredLookup } from "../frames/lookup";
import { FrameProblem } from "./problems";

export class Lookups {
  /** By the table as the metadata tell it: the frames of an instance share theirs. */
  private readonly known = new WeakMap<StoredLookup, Promise<Lookup>>();
  private readonly fetchTable: (url: string) => Promise<Uint8Array>;

  constructor(fetchTable: (url: string) => Promise<Uint8Array>) {
    this.fetchTable = fetchTable;
  }

  /** Throws FrameProblem: "unreadable" when the table is damaged, else why it could not be fetched. */
  of(stored: StoredLookup, signed: boolean): Promise<Lookup> {
    const known = this.known.get(stored) ?? this.made(stored, signed);
    this.known.set(stored, known);
    // What could not be had is asked for anew with the next frame.
    known.catch(() => this.known.delete(stored));
    return known;
  }

  private async made(stored: StoredLookup, signed: boolean): Promise<Lookup> {
    const lookup = lookupOf(stored, stored.data ?? (await this.fetchTable(stored.url ?? "")), signed);
    if (!lookup) throw new FrameProblem("unreadable");
    return lookup;
  }
}
