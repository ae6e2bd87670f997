// What a reader is likely to look at next, fetched while nothing lacks of what they look at: the next field of a walk,
// then what lies around. It ends when they move on.

import { Ahead } from "./ahead";
import { beyond, tilesAround, tilesIn } from "./around";
import { type Camera, seenBox } from "./camera";
import type { Pace } from "./pace";
import type { Slide, SlidePoint, TilePlace } from "./slide";

/** Whoever looks so long at a field does not only pass it. */
const AROUND_AFTER_MS = 300;
/** Tiles around a field. */
const AROUND_MAX = 64;
/** In parts of a field: how far one looks in the direction that one moved in. */
const STRIDE = 0.75;

/** Whether the person asked the browser to fetch no more than it must. */
function isSparing(): boolean {
  const { connection } = navigator as { readonly connection?: { readonly saveData?: boolean } };
  return connection?.saveData === true;
}

export class Foresight {
  private readonly ahead = new Ahead();
  private readonly slide: Slide;
  private readonly urlOf: (place: TilePlace) => string;
  private readonly pace: Pace;
  /** Where the last step of a walk led, and where the next one would. */
  private walk: { readonly center: SlidePoint; readonly next: Camera } | undefined;
  /** Where one looked from when nothing lacked, and where one came from to there. */
  private rest: Camera | undefined;
  private from: Camera | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(slide: Slide, urlOf: (place: TilePlace) => string, pace: Pace) {
    this.slide = slide;
    this.urlOf = urlOf;
    this.pace = pace;
  }

  /** A walk led to `center`; its next step leads to `next`. */
  walked(center: SlidePoint, next: Camera): void {
    this.walk = { center, next };
  }

  /** One looks from there, or goes there; `settled`: every tile of it is there. */
  look(camera: Camera, settled: boolean): void {
    if (this.rest && !isSame(this.rest, camera)) this.leave(camera);
    if (this.rest || !settled || isSparing()) return;
    this.rest = camera;
    const seen = seenBox(camera);
    const inside = tilesIn(this.slide, seen, camera.zoom);
    const next = beyond(inside, this.nextOf(camera));
    this.fetch(next);
    if (!this.pace.isQuick()) return;
    this.timer = setTimeout(() => {
      const around = tilesAround(this.slide, seen, camera.zoom, this.towards(camera));
      this.fetch([...next, ...beyond(inside, around).slice(0, AROUND_MAX)]);
    }, AROUND_AFTER_MS);
  }

  /** A tile that was fetched before it was wanted. */
  take(url: string): Promise<Blob | undefined> | undefined {
    return this.ahead.take(url);
  }

  /** Another layer is looked at. */
  forget(): void {
    clearTimeout(this.timer);
    this.ahead.stop();
    this.rest = undefined;
  }

  private leave(camera: Camera): void {
    clearTimeout(this.timer);
    this.from = this.rest;
    this.rest = undefined;
    this.ahead.narrow(tilesIn(this.slide, seenBox(camera), camera.zoom).map(this.urlOf));
  }

  /** The tiles of the walk's next field; none when one left the walk. */
  private nextOf(camera: Camera): readonly TilePlace[] {
    const { walk } = this;
    if (!walk) return [];
    if (isSame({ ...walk.next, center: walk.center }, camera))
      return tilesIn(this.slide, seenBox(walk.next), camera.zoom);
    this.walk = undefined;
    return [];
  }

  /** Straight on; without a direction, where one is. */
  private towards({ center, zoom, width, height }: Camera): SlidePoint {
    const { from } = this;
    if (!from || from.zoom !== zoom) return center;
    const [across, down] = [center.x - from.center.x, center.y - from.center.y];
    const length = Math.hypot(across, down) || 1;
    const stride = (STRIDE * Math.max(width, height)) / zoom / length;
    return { x: center.x + across * stride, y: center.y + down * stride };
  }

  private fetch(places: readonly TilePlace[]): void {
    this.ahead.fetch(places.map(this.urlOf));
  }
}

/** Whether one looks from the same place, to less than a pixel of the screen. */
function isSame(one: Camera, other: Camera): boolean {
  const away = Math.hypot(one.center.x - other.center.x, one.center.y - other.center.y) * other.zoom;
  return away < 1 && Math.abs(one.zoom / other.zoom - 1) < 1e-6 && one.degrees === other.degrees;
}
