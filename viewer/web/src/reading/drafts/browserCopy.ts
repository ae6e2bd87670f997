// What this window keeps of one draft in the browser's own store, one deed after the other. No React.

import { type DraftKeys, draftKeys } from "../../api/drafts";
import { randomName } from "../../ui/randomName";
import { type Left, seal, unlink, unseal } from "./sealed";

/** Of this page, until it is closed. */
const WINDOW = randomName();

export class BrowserCopy {
  private readonly of: string;
  /** Whose copies are in this one: our own, and those that earlier windows left. */
  private windows: readonly string[] = [WINDOW];
  private keys: DraftKeys | undefined;
  private last: Promise<unknown> = Promise.resolve();

  /** `of`: what the draft is about, in words that are never written down. */
  constructor(of: string) {
    this.of = of;
  }

  /** What windows of this person left here, the oldest first; it goes with our own from now on. */
  take(): Promise<readonly Left[]> {
    return this.next(async (keys) => {
      const left = await unseal(keys, this.of);
      this.windows = [...new Set([WINDOW, ...left.map(({ window }) => window)])];
      return left;
    }, []);
  }

  /** Tells whether it is safe on the disk. */
  put(content: string): Promise<boolean> {
    return this.next((keys) => seal(keys, this.of, { window: WINDOW, at: Date.now(), content }), false);
  }

  remove(): Promise<void> {
    return this.next(async (keys) => {
      await unlink(keys, this.of, this.windows);
      this.windows = [WINDOW];
    }, undefined);
  }

  private next<T>(deed: (keys: DraftKeys) => Promise<T>, otherwise: T): Promise<T> {
    const done = this.last.then(async () => {
      this.keys ??= await draftKeys();
      return this.keys ? deed(this.keys) : otherwise;
    });
    this.last = done;
    return done;
  }
}
