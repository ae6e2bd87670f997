// Loads a stack ahead of the reader: a few frames at a time, nearest first, and steps aside for the one being waited for.

/** How many frames are asked for at once; the browser opens six connections and the reader's own frame needs one. */
const PARALLEL = 4;

export interface PrefetchTarget {
  /** Load a frame into the cache; settles when it is there or cannot be had. */
  readonly load: (imageId: string) => Promise<unknown>;
  readonly isLoaded: (imageId: string) => boolean;
  /** Whether there is still room; once false, only a new order starts again. */
  readonly hasRoom: () => boolean;
}

export class Prefetch {
  private readonly target: PrefetchTarget;
  private order: readonly string[] = [];
  private readonly tried = new Set<string>();
  private under = 0;
  private stopped = false;

  constructor(target: PrefetchTarget) {
    this.target = target;
  }

  /** Load in this order from now on; frames already asked for finish. */
  follow(order: readonly string[]): void {
    this.order = order;
    this.pump();
  }

  /** Try again what failed, for example when the line is back. */
  retry(): void {
    this.tried.clear();
    this.pump();
  }

  stop(): void {
    this.stopped = true;
  }

  private pump(): void {
    while (!this.stopped && this.under < PARALLEL && this.target.hasRoom()) {
      const next = this.order.find((imageId) => !this.tried.has(imageId) && !this.target.isLoaded(imageId));
      if (next === undefined) return;
      this.tried.add(next);
      this.under += 1;
      const done = () => {
        this.under -= 1;
        this.pump();
      };
      this.target.load(next).then(done, done);
    }
  }
}
