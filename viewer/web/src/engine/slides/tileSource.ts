// A slide's tiles for OpenSeadragon, which counts levels from the coarsest: fetched by us, so that what was flown past
// is given up, a tile that failed comes again, and its color profile is heeded or not.

import { createStore, type Store } from "../emitter";
import { type Decode, decodeTile, fetchTile, type TileAnswer, type TileProblem } from "./fetchTile";
import OpenSeadragon from "./openseadragon";
import { decoderOf } from "./profile";
import { type Layer, type Slide, type TilePlace, tileUrl } from "./slide";

const RETRY_MS = 2_000;
const RETRY_MS_MAX = 30_000;

/** What the view knows of the tiles that are asked for. */
export interface Asker {
  readonly isFlownPast: (place: TilePlace) => boolean;
  /** A tile that was fetched before it was wanted, if it was. */
  readonly take: (url: string) => Promise<Blob | undefined> | undefined;
  /** Hears how long a tile took that was not. */
  readonly took: (ms: number) => void;
  /** Hears of tiles that may be asked for again. */
  readonly onRevived: () => void;
}

export class SlideTileSource extends OpenSeadragon.TileSource {
  /** What keeps tiles away at the moment; the next tile that comes clears it. */
  readonly problem: Store<TileProblem | undefined> = createStore<TileProblem | undefined>(undefined);
  readonly slide: Slide;
  readonly layer: Layer;
  private readonly flights = new Map<OpenSeadragon.ImageJob, AbortController>();
  private readonly asker: Asker;
  private readonly decode: Decode;
  private retryMs = RETRY_MS;
  private closed = false;

  constructor(slide: Slide, layer: Layer, asker: Asker) {
    super({
      width: slide.width,
      height: slide.height,
      tileWidth: slide.tileWidth,
      tileHeight: slide.tileHeight,
      minLevel: 0,
      maxLevel: slide.octaves.length - 1,
    });
    this.slide = slide;
    this.layer = layer;
    this.asker = asker;
    this.decode = decoderOf(slide);
  }

  placeOf(level: number, column: number, row: number): TilePlace {
    return { octave: this.maxLevel - level, column, row };
  }

  override getNumTiles(level: number): OpenSeadragon.Point {
    const octave = this.slide.octaves[this.maxLevel - level];
    return octave ? new OpenSeadragon.Point(octave.columns, octave.rows) : new OpenSeadragon.Point(0, 0);
  }

  override getTileUrl(level: number, column: number, row: number): string {
    return tileUrl(this.slide, this.layer, this.placeOf(level, column, row));
  }

  /** One address has two pictures: with its profile heeded, and without. */
  override getTileHashKey(_level: number, _column: number, _row: number, url: string): string {
    return this.layer.managed ? url : `${url}#unmanaged`;
  }

  override downloadTileStart(job: OpenSeadragon.ImageJob): void {
    const control = new AbortController();
    this.flights.set(job, control);
    void this.bring(job, control.signal);
  }

  override downloadTileAbort(job: OpenSeadragon.ImageJob): void {
    this.flights.get(job)?.abort();
  }

  /** Stop waiting for tiles that were flown past. */
  giveUp(): void {
    for (const [job, control] of this.flights) {
      const { level, x, y } = job.tile;
      if (this.asker.isFlownPast(this.placeOf(level, x, y))) control.abort();
    }
  }

  /** Nothing more is wanted. */
  close(): void {
    this.closed = true;
    for (const control of this.flights.values()) control.abort();
  }

  private async bring(job: OpenSeadragon.ImageJob, signal: AbortSignal): Promise<void> {
    const { level, x, y } = job.tile;
    // A job may have waited in a queue while one flew on.
    await Promise.resolve();
    const late = this.closed || this.asker.isFlownPast(this.placeOf(level, x, y));
    const answer = late ? ABANDONED : await this.answer(job.src, signal);
    this.flights.delete(job);
    switch (answer.kind) {
      case "tile":
        this.retryMs = RETRY_MS;
        this.problem.set(undefined);
        job.finish(answer.bitmap, null, "imageBitmap");
        return;
      case "abandoned":
        this.fail(job, "given up");
        this.revive(job);
        return;
      case "problem":
        this.problem.set(answer.problem);
        this.fail(job, answer.problem);
        this.later(job, answer.waitMs);
    }
  }

  private async answer(url: string, signal: AbortSignal): Promise<TileAnswer> {
    const { managed } = this.layer;
    const blob = await this.asker.take(url);
    if (blob) return signal.aborted ? ABANDONED : decodeTile(blob, managed, this.decode);
    const begunMs = performance.now();
    const answer = await fetchTile(url, managed, signal, this.decode);
    if (answer.kind === "tile") this.asker.took(performance.now() - begunMs);
    return answer;
  }

  private fail(job: OpenSeadragon.ImageJob, why: string): void {
    // OpenSeadragon calls a timed out job failed by itself.
    if (job.jobId !== null) job.fail(why, null);
  }

  /** OpenSeadragon never asks again for a tile that failed, unless it is told that there is one. */
  private revive(job: OpenSeadragon.ImageJob): void {
    job.tile.exists = true;
    if (!this.closed) this.asker.onRevived();
  }

  private later(job: OpenSeadragon.ImageJob, waitMs: number | undefined): void {
    setTimeout(() => this.revive(job), waitMs ?? this.retryMs);
    this.retryMs = Math.min(this.retryMs * 1.5, RETRY_MS_MAX);
  }
}

const ABANDONED = { kind: "abandoned" } as const;
