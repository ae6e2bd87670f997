// Playing a stack as a film. The clock comes in; the next frame is only shown when it is there.

export const CINE_RATE_MIN = 1;
export const CINE_RATE_MAX = 60;
/** When an image does not say (frames per second). */
export const CINE_RATE_DEFAULT = 15;

/** The rates that keys go through. */
const RATES = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60] as const;

/** The next slower (`by` -1) or faster rate; the slowest and the fastest stay. */
export function rateBeside(rate: number, by: 1 | -1): number {
  const next = by > 0 ? RATES.find((one) => one > rate) : RATES.findLast((one) => one < rate);
  return next ?? (by > 0 ? CINE_RATE_MAX : CINE_RATE_MIN);
}

/** The rate that an image asks for, as a whole number within what is offered. */
export function rateOf(wanted: number | undefined): number {
  return Math.min(Math.max(Math.round(wanted ?? CINE_RATE_DEFAULT), CINE_RATE_MIN), CINE_RATE_MAX);
}

export interface CineTarget {
  readonly count: () => number;
  readonly index: () => number;
  readonly isReady: (index: number) => boolean;
  readonly show: (index: number) => void;
}

export interface FrameClock {
  readonly request: (callback: (nowMs: number) => void) => number;
  readonly cancel: (handle: number) => void;
}

export class Cine {
  private readonly target: CineTarget;
  private readonly clock: FrameClock;
  private handle: number | undefined;
  private dueMs = 0;
  private rate = CINE_RATE_DEFAULT;

  constructor(target: CineTarget, clock: FrameClock) {
    this.target = target;
    this.clock = clock;
  }

  get playing(): boolean {
    return this.handle !== undefined;
  }

  setRate(framesPerSecond: number): void {
    this.rate = Math.min(Math.max(framesPerSecond, CINE_RATE_MIN), CINE_RATE_MAX);
  }

  play(): void {
    if (this.playing || this.target.count() < 2) return;
    this.dueMs = 0;
    this.handle = this.clock.request(this.tick);
  }

  stop(): void {
    if (this.handle !== undefined) this.clock.cancel(this.handle);
    this.handle = undefined;
  }

  /** A frame that has not come yet holds the film; a slow machine drops behind rather than skip frames. */
  private readonly tick = (nowMs: number): void => {
    this.handle = this.clock.request(this.tick);
    if (nowMs < this.dueMs) return;
    const next = (this.target.index() + 1) % Math.max(this.target.count(), 1);
    if (!this.target.isReady(next)) return;
    const periodMs = 1000 / this.rate;
    this.dueMs = this.dueMs === 0 || nowMs - this.dueMs > periodMs ? nowMs + periodMs : this.dueMs + periodMs;
    this.target.show(next);
  };
}
