// How OpenSeadragon is told to show a slide.

import { IN_FLIGHT_MAX, PIXEL_RATIO_MIN } from "./flights";
import type OpenSeadragon from "./openseadragon";

/** How far beyond the scanner's own pixels one may go. */
const ZOOM_MAX = 8;

const GESTURES: OpenSeadragon.GestureSettings = {
  dragToPan: true,
  scrollToZoom: true,
  clickToZoom: false,
  dblClickToZoom: true,
  pinchToZoom: true,
  pinchRotate: false,
  flickEnabled: true,
};

export const OPTIONS: OpenSeadragon.Options = {
  // Measured without a graphics card: 60 frames/s on a 2D canvas, 3 through software WebGL.
  drawer: "canvas",
  imageLoaderLimit: IN_FLIGHT_MAX,
  timeout: 120_000,
  maxTilesPerFrame: 16,
  minPixelRatio: PIXEL_RATIO_MIN,
  // Tiles of what is looked at before coarser ones: those were a third more to fetch. `levelFirst` is the rest of it.
  immediateRender: true,
  maxZoomPixelRatio: ZOOM_MAX,
  // A larger window shows more of the slide, not a larger slide.
  preserveImageSizeOnResize: true,
  minZoomImageRatio: 0.6,
  visibilityRatio: 0.3,
  animationTime: 0.35,
  springStiffness: 8,
  blendTime: 0,
  zoomPerScroll: 1.25,
  gestureSettingsMouse: GESTURES,
  gestureSettingsTouch: { ...GESTURES, dblClickToZoom: true },
  gestureSettingsPen: GESTURES,
  keyboardNavEnabled: false,
  showNavigationControl: false,
  showSequenceControl: false,
  silenceMultiImageWarnings: true,
};

export function overviewIn(element: HTMLElement): OpenSeadragon.Options {
  return {
    showNavigator: true,
    navigatorId: element.id,
    navigatorAutoFade: false,
    navigatorMaintainSizeRatio: false,
    navigatorRotate: true,
    navigatorBorderColor: "transparent",
    navigatorDisplayRegionColor: "#ffcb66",
  };
}

/** A tile as OpenSeadragon weighs it. */
interface Candidate {
  readonly level: number;
  readonly visibility: number;
  readonly squaredDistance: number;
}

/**
 * Have tiles of one level asked for before all others, those in the middle first.
 *
 * OpenSeadragon asks for the coarser of two levels first where its pixels are nearer to the screen's, and then for both.
 */
export function levelFirst(image: OpenSeadragon.TiledImage, wanted: () => number): void {
  const order = (one: Candidate | null, other: Candidate | null) => {
    if (!(one && other)) return Number(one === null) - Number(other === null);
    const level = wanted();
    const first = Number(other.level === level) - Number(one.level === level);
    return first || other.visibility - one.visibility || one.squaredDistance - other.squaredDistance;
  };
  Object.assign(image, { _sortTilesComparator: order });
}
