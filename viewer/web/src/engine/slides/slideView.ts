// A slide on the screen: OpenSeadragon told what to show and from where, and telling where one is.

import { createStore, type Store } from "../emitter";
import { type Camera, isOnGrid, onGrid, seenBox } from "./camera";
import type { TileProblem } from "./fetchTile";
import { fieldBeside } from "./fields";
import { isFlownPast, octaveFor } from "./flights";
import { Foresight } from "./foresight";
import { nativePower, uprightDegrees } from "./geometry";
import OpenSeadragon, { keepStyleAway } from "./openseadragon";
import { levelFirst, OPTIONS, overviewIn } from "./options";
import { Pace } from "./pace";
import { firstLayer, type Layer, type Slide, type SlidePoint, type TilePlace, tileUrl } from "./slide";
import { SlideTileSource } from "./tileSource";

/** Memory for decoded tiles. */
const CACHE_BYTES = 192 * 2 ** 20;
const CACHE_TILES_MIN = 100;
const GIVE_UP_EVERY_MS = 150;
/** What is nearer than this to the magnification that one goes to is as good as there. */
const ZOOMING = 0.02;

const FAR: Camera = { center: { x: 0, y: 0 }, zoom: 1, degrees: 0, mirrored: false, width: 1, height: 1 };

/** What a view can be put to: anything left out stays. */
export type Placing = Partial<Pick<Camera, "center" | "zoom" | "degrees" | "mirrored">>;

export class SlideView {
  readonly camera: Store<Camera> = createStore(FAR);
  readonly problem: Store<TileProblem | undefined> = createStore<TileProblem | undefined>(undefined);
  /** Every tile of what one looks at is there. */
  readonly settled: Store<boolean> = createStore(false);
  readonly element: HTMLElement;
  /** What others found, drawn over it. */
  readonly over: Set<{ isWhole(): boolean }> = new Set();
  readonly layer: Store<Layer>;
  readonly slide: Slide;
  private readonly viewer: OpenSeadragon.Viewer;
  private source: SlideTileSource;
  private readonly pace = new Pace();
  private readonly foresight: Foresight;
  private gaveUpAtMs = 0;

  /** `overview`: where the small map goes, if anywhere; it needs an id. */
  constructor(element: HTMLElement, slide: Slide, overview?: HTMLElement) {
    this.element = element;
    this.slide = slide;
    this.layer = createStore(firstLayer(slide));
    this.foresight = new Foresight(slide, (place) => tileUrl(slide, this.layer.get(), place), this.pace);
    keepStyleAway();
    this.viewer = OpenSeadragon({
      ...OPTIONS,
      element,
      degrees: uprightDegrees(slide.orientation),
      maxImageCacheCount: cacheTilesOf(slide),
      ...(overview ? overviewIn(overview) : {}),
    });
    const read = () => this.read();
    for (const event of ["update-viewport", "open", "rotate", "flip", "resize"] as const) {
      this.viewer.addHandler(event, read);
    }
    // Tiles are drawn a pixel too large against seams between them; where pixels lie on pixels there are none.
    Object.assign(this.viewer.drawer, { minimumOverlapRequired: () => !isOnGrid(this.present()) });
    const source = this.sourceOf();
    this.source = source;
    this.viewer.open({ tileSource: source, success: (event) => this.watch(event, source) });
  }

  /** Call once when the slide is there to be looked at; `camera` tells nothing before. */
  whenOpen(then: () => void): void {
    this.viewer.addOnceHandler("open", then);
  }

  /** Look at another layer from where one is. It comes over the one before, which goes when nothing of it lacks. */
  show(part: Partial<Layer>): void {
    const { world } = this.viewer;
    this.layer.set({ ...this.layer.get(), ...part });
    const old = Array.from({ length: world.getItemCount() }, (_, index) => world.getItemAt(index));
    const leave = () => {
      for (const item of old) if (world.getIndexOfItem(item) >= 0) world.removeItem(item);
    };
    this.source.close();
    this.foresight.forget();
    const source = this.sourceOf();
    this.source = source;
    this.problem.set(undefined);
    this.settled.set(false);
    this.viewer.addTiledImage({
      tileSource: source,
      success: (event) => this.watch(event, source)?.whenFullyLoaded(leave),
    });
  }

  home(): void {
    this.viewer.viewport.goHome();
  }

  zoomBy(factor: number): void {
    this.viewer.viewport.zoomBy(factor).applyConstraints();
  }

  /** Move by parts of the screen, to the right and down. */
  panBy(across: number, down: number): void {
    const { width, height, mirrored } = this.camera.get();
    const pixels = new OpenSeadragon.Point((mirrored ? -1 : 1) * across * width, down * height);
    this.viewer.viewport.panBy(this.viewer.viewport.deltaPointsFromPixels(pixels)).applyConstraints();
  }

  /** As through an objective of this power; nothing when the slide does not say how large it is. */
  magnify(power: number): void {
    const native = nativePower(this.slide);
    if (native) this.zoomTo(power / native);
  }

  /** A slide pixel on each screen pixel, unblurred if the slide is turned by right angles. */
  oneToOne(): void {
    const camera = this.camera.get();
    this.place({ zoom: 1, center: onGrid(camera) });
  }

  /** Turn clockwise as one sees it. */
  rotateBy(degrees: number): void {
    const { viewport } = this.viewer;
    viewport.setRotation(viewport.getRotation() + (viewport.getFlip() ? -degrees : degrees));
  }

  mirror(): void {
    this.viewer.viewport.toggleFlip();
  }

  /** Upright, not mirrored, the whole slide. */
  reset(): void {
    this.viewer.viewport.setFlip(false);
    this.viewer.viewport.setRotation(uprightDegrees(this.slide.orientation));
    this.home();
  }

  /** Where one looks from when what moves has come to rest. */
  target(): Camera {
    const { viewport } = this.viewer;
    const zoom = this.slideZoom(viewport.getZoom());
    return { ...this.camera.get(), center: this.slidePoint(viewport.getCenter()), zoom };
  }

  /** Go so many fields further on the walk, at once; the one after it is fetched when this one is there. */
  walk(steps: number): void {
    const before = this.target();
    const { center } = fieldBeside(this.slide, before, steps);
    this.foresight.walked(center, {
      ...before,
      center: fieldBeside(this.slide, { ...before, center }, steps).center,
    });
    this.place({ center });
  }

  /** Bring a place to the middle. */
  goTo(center: SlidePoint): void {
    this.viewer.viewport.panTo(this.viewportPoint(center));
  }

  /** Look from there, at once: for a view that follows another. */
  place({ center, zoom, degrees, mirrored }: Placing): void {
    const { viewport } = this.viewer;
    if (mirrored !== undefined) viewport.setFlip(mirrored);
    if (degrees !== undefined) viewport.setRotation(degrees, true);
    if (zoom !== undefined) viewport.zoomTo(this.viewportZoom(zoom), undefined, true);
    if (center !== undefined) viewport.panTo(this.viewportPoint(center), true);
    this.viewer.forceRedraw();
  }

  /** Whether the mouse and fingers move the slide, or belong to a tool. */
  setDragging(pans: boolean): void {
    this.viewer.gestureSettingsByDeviceType("mouse").dragToPan = pans;
    this.viewer.gestureSettingsByDeviceType("touch").dragToPan = pans;
    this.viewer.gestureSettingsByDeviceType("pen").dragToPan = pans;
  }

  setDoubleClickZooms(zooms: boolean): void {
    this.viewer.gestureSettingsByDeviceType("mouse").dblClickToZoom = zooms;
    this.viewer.gestureSettingsByDeviceType("touch").dblClickToZoom = zooms;
  }

  destroy(): void {
    this.foresight.forget();
    this.source.close();
    this.viewer.destroy();
  }

  private sourceOf(): SlideTileSource {
    const source = new SlideTileSource(this.slide, this.layer.get(), {
      isFlownPast: (place) => this.isFlownPast(place),
      take: (url) => this.foresight.take(url),
      took: (ms) => this.pace.note(ms),
      onRevived: () => this.viewer.forceRedraw(),
    });
    source.problem.subscribe(() => {
      if (this.source === source) this.problem.set(source.problem.get());
    });
    return source;
  }

  private watch(event: unknown, source: SlideTileSource): OpenSeadragon.TiledImage | undefined {
    const item = (event as { readonly item?: OpenSeadragon.TiledImage }).item;
    const tell = () => {
      if (this.source !== source) return;
      this.settled.set(item?.getFullyLoaded() === true);
      if (this.settled.get()) this.foresee();
    };
    if (item) levelFirst(item, () => source.maxLevel - octaveFor(this.slide.octaves, this.target().zoom));
    item?.addHandler("fully-loaded-change", tell);
    tell();
    return item;
  }

  private foresee(): void {
    // Where one is going counts, not where one is on the way.
    this.foresight.look(this.target(), this.settled.get());
  }

  private zoomTo(zoom: number): void {
    this.viewer.viewport.zoomTo(this.viewportZoom(zoom)).applyConstraints();
  }

  private isFlownPast(place: TilePlace): boolean {
    // Where one is going counts, not where one is on the way.
    const camera = this.target();
    const moving = Math.abs(this.present().zoom / camera.zoom - 1) > ZOOMING;
    return isFlownPast(this.slide, place, seenBox(camera), camera.zoom, moving);
  }

  private present(): Camera {
    const { viewport } = this.viewer;
    const size = viewport.getContainerSize();
    return {
      center: this.slidePoint(viewport.getCenter(true)),
      zoom: this.slideZoom(viewport.getZoom(true)),
      degrees: viewport.getRotation(true),
      mirrored: viewport.getFlip(),
      width: size.x,
      height: size.y,
    };
  }

  private read(): void {
    if (this.viewer.world.getItemCount() === 0) return;
    this.camera.set(this.present());
    this.foresee();
    const nowMs = performance.now();
    if (nowMs - this.gaveUpAtMs < GIVE_UP_EVERY_MS) return;
    this.gaveUpAtMs = nowMs;
    this.source.giveUp();
  }

  // The slide is one unit wide in OpenSeadragon's world, and a zoom of one fills the screen's width with it.

  private slidePoint(point: OpenSeadragon.Point): SlidePoint {
    const width = this.slide.width;
    return { x: point.x * width, y: point.y * width };
  }

  private viewportPoint({ x, y }: SlidePoint): OpenSeadragon.Point {
    const width = this.slide.width;
    return new OpenSeadragon.Point(x / width, y / width);
  }

  private slideZoom(viewportZoom: number): number {
    return (viewportZoom * this.viewer.viewport.getContainerSize().x) / this.slide.width;
  }

  private viewportZoom(zoom: number): number {
    return (zoom * this.slide.width) / this.viewer.viewport.getContainerSize().x;
  }
}

function cacheTilesOf(slide: Slide): number {
  return Math.max(CACHE_TILES_MIN, Math.floor(CACHE_BYTES / (slide.tileWidth * slide.tileHeight * 4)));
}
