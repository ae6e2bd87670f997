// How fast the line is, as the room's own requests tell: a thin one wants pictures in steps, a fast one wants them whole.

/** Below this a 512 x 512 CT slice takes more than half a second, bytes per second. */
const THIN = 1_000_000;
/** Smaller answers tell of the way to the server and back rather than of the line. */
const TELLING_BYTES = 8 * 1024;
/** Weight of the newest answer. */
const NEWEST = 0.3;

export class Line {
  private rate: number | undefined;

  /** An answer of so many bytes came in so many milliseconds. */
  note(bytes: number, ms: number): void {
    if (bytes < TELLING_BYTES) return;
    const rate = (bytes * 1000) / Math.max(ms, 1);
    this.rate = this.rate === undefined ? rate : this.rate * (1 - NEWEST) + rate * NEWEST;
  }

  /** Until an answer told otherwise, a line is thin: a picture in steps is there sooner on any. */
  get isThin(): boolean {
    return this.rate === undefined || this.rate < THIN;
  }
}
