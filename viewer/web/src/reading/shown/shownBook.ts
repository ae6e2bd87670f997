// What this page drew as it is stored, on its way to the node: gathered for a few seconds, told, tried again. No React.

import { seriesOf } from "../../api/dicomweb";
import type { StudyKey } from "../../api/queries";
import type { Result } from "../../api/result";
import type { DrawnSeries, ShownSeries } from "../../api/types";
import type { Frame } from "../../engine/frames/frame";

/** What is drawn meanwhile goes along, ms. */
export const TELL_MS = 3_000;
export const RETRY_MS = 10_000;
/** Images in one telling; the node takes 64 KiB, and so does a page that is being left. */
export const TOLD_MAX = 400;
/** Another try may succeed. */
const PASSING: ReadonlySet<string> = new Set(["offline", "server", "throttled"]);

interface Waiting {
  readonly study: StudyKey;
  readonly frames: Map<string, Frame>;
}

export interface ShownWays {
  readonly tell: (
    study: StudyKey,
    series: readonly DrawnSeries[],
    leaving: boolean,
  ) => Promise<Result<readonly ShownSeries[]>>;
  /** The node keeps it now. */
  readonly onKept: (study: StudyKey, shown: readonly ShownSeries[]) => void;
}

export class ShownBook {
  private readonly ways: ShownWays;
  /** Frames that are kept, or on their way. */
  private readonly known = new Set<string>();
  private readonly waiting = new Map<string, Waiting>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ended = false;

  constructor(ways: ShownWays) {
    this.ways = ways;
  }

  /** A frame of a study is on the screen as it is stored. */
  note(study: StudyKey, frame: Frame): void {
    if (this.ended || this.known.has(frame.imageId)) return;
    this.known.add(frame.imageId);
    this.put(study, [frame]);
    this.plan(TELL_MS);
  }

  /** Tell what waits, now; `leaving` when the page may be gone at once. */
  flush(leaving: boolean): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const { study, frames } of all) {
      const waiting = [...frames.values()];
      for (let from = 0; from < waiting.length; from += TOLD_MAX) {
        void this.tell(study, waiting.slice(from, from + TOLD_MAX), leaving);
      }
    }
  }

  end(): void {
    this.flush(true);
    this.ended = true;
  }

  private async tell(study: StudyKey, frames: readonly Frame[], leaving: boolean): Promise<void> {
    const result = await this.ways.tell(study, bySeries(frames), leaving);
    if (result.ok) {
      this.ways.onKept(study, result.value);
      return;
    }
    if (this.ended || !PASSING.has(result.problem.kind)) return;
    this.put(study, frames);
    this.plan(RETRY_MS);
  }

  private put(study: StudyKey, frames: readonly Frame[]): void {
    const name = `${study.studyInstanceUid} ${study.site ?? ""}`;
    const of = this.waiting.get(name) ?? { study, frames: new Map() };
    for (const frame of frames) of.frames.set(frame.imageId, frame);
    this.waiting.set(name, of);
  }

  private plan(ms: number): void {
    this.timer ??= setTimeout(() => this.flush(false), ms);
  }
}

/** Frames as the node hears of them. */
export function bySeries(frames: readonly Frame[]): readonly DrawnSeries[] {
  const series = new Map<string, Map<string, number[]>>();
  for (const { url, sopInstanceUid, frameNumber } of frames) {
    const uid = seriesOf(url)?.series;
    if (uid === undefined) continue;
    const instances = series.get(uid) ?? new Map<string, number[]>();
    series.set(uid, instances);
    instances.set(sopInstanceUid, [...(instances.get(sopInstanceUid) ?? []), frameNumber]);
  }
  return [...series].map(([seriesInstanceUID, instances]) => ({
    seriesInstanceUID,
    instances: [...instances].map(([sopInstanceUID, numbers]) => ({ sopInstanceUID, frames: numbers })),
  }));
}
