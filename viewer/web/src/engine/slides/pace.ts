// How fast tiles come, told by those that came. Pure but for what it remembers.

const REMEMBERED = 8;
/** What comes sooner was in the browser's cache, and tells nothing of the line. */
const CACHED_MS = 8;
/** Tiles come later than this, eight at a time, over less than some 6 Mbit/s. */
const QUICK_MS = 250;

export class Pace {
  private readonly latest: number[] = [];

  /** A tile took so long. */
  note(tookMs: number): void {
    if (tookMs < CACHED_MS) return;
    this.latest.push(tookMs);
    if (this.latest.length > REMEMBERED) this.latest.shift();
  }

  /** Whether the line carries more than what is looked at; believed until it is known. */
  isQuick(): boolean {
    const sorted = [...this.latest].sort((one, other) => one - other);
    return (sorted[Math.floor(sorted.length / 2)] ?? 0) <= QUICK_MS;
  }
}
