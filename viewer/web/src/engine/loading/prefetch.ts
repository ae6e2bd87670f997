// Loads a stack ahead of the reader: a few steps at a time, in order, and steps aside for the one being waited for.

import type { Step } from "./tiers";

/** How many frames are asked for at once; the browser opens six connections and the reader's own frame needs one. */
const PARALLEL = 4;

export interface PrefetchTarget {
  /** Load a frame up to a tier into the cache; settles when it is there or cannot be had. */
  readonly load: (step: Step) => Promise<unknown>;
  readonly isLoaded: (step: Step) => boolean;
  /** Whether there is still room; once false, only a new order starts again. */
  readonly hasRoom: () => boolean;
}

function keyOf(step: Step): string {
  return `${step.tier} ${step.alone} ${step.imageId}`;
}

export class Prefetch {
  private readonly target: PrefetchTarget;
  private order: readonly Step[] = [];
  private readonly tried = new Set<string>();
  /** Tried, and left when the reader went on: to be tried again with the next order. */
  private readonly left = new Set<string>();
  private under = 0;
  /** Steps under way that want nothing else beside them. */
  private alone = 0;
  private stopped = false;

  constructor(target: PrefetchTarget) {
    this.target = target;
  }

  /** Load in this order from now on; steps already begun finish. */
  follow(order: readonly Step[]): void {
    this.order = order;
    for (const key of this.left) this.tried.delete(key);
    this.left.clear();
    this.pump();
  }

  /** Another stack: what was loaded of one that comes back is not here any more. */
  forget(): void {
    this.order = [];
    this.tried.clear();
    this.left.clear();
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
      const next = this.order.find((step) => !this.tried.has(keyOf(step)) && !this.target.isLoaded(step));
      if (next === undefined || (this.alone > 0 && !next.alone)) return;
      this.begin(next);
    }
  }

  private begin(step: Step): void {
    this.tried.add(keyOf(step));
    this.under += 1;
    if (step.alone) this.alone += 1;
    const done = (came: boolean) => {
      if (came && !this.target.isLoaded(step)) this.left.add(keyOf(step));
      this.under -= 1;
      if (step.alone) this.alone -= 1;
      this.pump();
    };
    this.target.load(step).then(
      () => done(true),
      () => done(false),
    );
  }
}
