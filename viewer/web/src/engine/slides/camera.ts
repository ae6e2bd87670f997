// Where one looks at a slide from, and what that means for places: slide pixels to screen pixels and back. Pure.

import type { SlidePoint } from "./slide";

export interface Camera {
  /** The place of the slide in the middle of the screen. */
  readonly center: SlidePoint;
  /** Screen pixels per slide pixel of the finest octave. */
  readonly zoom: number;
  /** How far the stored matrix is turned clockwise. */
  readonly degrees: number;
  /** Left and right of the screen changed over, after the turn. */
  readonly mirrored: boolean;
  /** Of the screen's part that shows the slide, in screen pixels. */
  readonly width: number;
  readonly height: number;
}

export interface ScreenPoint {
  readonly left: number;
  readonly top: number;
}

type Turn = Pick<Camera, "degrees" | "mirrored">;

/** A way on the slide as the eye sees it, to the right and down, as long as it is there. */
export function turned({ x, y }: SlidePoint, { degrees, mirrored }: Turn): SlidePoint {
  const turn = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return { x: (mirrored ? -1 : 1) * (x * cos - y * sin), y: x * sin + y * cos };
}

/** The inverse of `turned`. */
export function unturned({ x, y }: SlidePoint, { degrees, mirrored }: Turn): SlidePoint {
  return turned({ x: mirrored ? -x : x, y }, { degrees: -degrees, mirrored: false });
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** What a turned rectangle fills, upright on the screen. */
export function sizeTurned({ width, height }: Size, degrees: number): Size {
  const turn = (degrees * Math.PI) / 180;
  const [along, aside] = [Math.abs(Math.cos(turn)), Math.abs(Math.sin(turn))];
  return { width: width * along + height * aside, height: width * aside + height * along };
}

/** a b c d e f of the affine map from slide pixels to screen pixels, as SVG and canvas write it. */
type Matrix = readonly [number, number, number, number, number, number];

export function matrixOf({ center, zoom, degrees, mirrored, width, height }: Camera): Matrix {
  const { x: a, y: b } = turned({ x: zoom, y: 0 }, { degrees, mirrored });
  const { x: c, y: d } = turned({ x: 0, y: zoom }, { degrees, mirrored });
  return [a, b, c, d, width / 2 - a * center.x - c * center.y, height / 2 - b * center.x - d * center.y];
}

export function toScreen(camera: Camera, point: SlidePoint): ScreenPoint {
  const [a, b, c, d, e, f] = matrixOf(camera);
  return { left: a * point.x + c * point.y + e, top: b * point.x + d * point.y + f };
}

export function toSlide(camera: Camera, point: ScreenPoint): SlidePoint {
  const [a, b, c, d, e, f] = matrixOf(camera);
  const area = a * d - b * c;
  const [right, down] = [point.left - e, point.top - f];
  return { x: (right * d - down * c) / area, y: (down * a - right * b) / area };
}

/** Half the screen along the slide's rows, and along its columns. */
function halves({ degrees, width, height }: Camera): readonly [number, number] {
  const isAside = Math.abs(Math.sin((degrees * Math.PI) / 180)) > 0.5;
  return isAside ? [height / 2, width / 2] : [width / 2, height / 2];
}

/** The center nearest to the present one at which, 1:1, slide pixels lie on screen pixels. */
export function onGrid(camera: Camera): SlidePoint {
  const [across, down] = halves(camera);
  const { x, y } = camera.center;
  return { x: Math.round(x - across) + across, y: Math.round(y - down) + down };
}

const CLOSE = 1e-4;

/** Whether each slide pixel lies on one screen pixel. */
export function isOnGrid(camera: Camera): boolean {
  const snapped = onGrid(camera);
  const isRight = Math.abs(Math.sin((camera.degrees * Math.PI) / 90)) < CLOSE;
  const isThere = Math.hypot(snapped.x - camera.center.x, snapped.y - camera.center.y) < CLOSE;
  return Math.abs(camera.zoom - 1) < CLOSE * CLOSE && isRight && isThere;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The part of the slide, in its pixels, that the screen shows; upright in the matrix, so larger when it is turned. */
export function seenBox(camera: Camera): Box {
  const corners = [
    { left: 0, top: 0 },
    { left: camera.width, top: 0 },
    { left: 0, top: camera.height },
    { left: camera.width, top: camera.height },
  ].map((corner) => toSlide(camera, corner));
  const [xs, ys] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}
