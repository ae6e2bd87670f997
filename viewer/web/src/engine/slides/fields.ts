// Walking over a slide field by field, as one moves the glass under a microscope: along a row, down, and back. Pure.

import { type Camera, type ScreenPoint, sizeTurned, toScreen, toSlide } from "./camera";
import type { Slide, SlidePoint } from "./slide";

/** Of a screen: neighbouring fields have a strip in common, so that nothing at an edge is missed. */
const STEP = 0.9;

export interface Field {
  readonly center: SlidePoint;
  /** From one, in the order of the walk. */
  readonly number: number;
  readonly count: number;
}

interface Walk {
  readonly across: number;
  readonly rows: number;
  /** All of the slide as it lies on the screen, at one screen pixel for each of its own. */
  readonly whole: Camera;
}

/** The field so many steps from the one that is nearest to what one looks at; the first and the last are the ends. */
export function fieldBeside(slide: Slide, camera: Camera, steps: number): Field {
  const walk = walkOf(slide, camera);
  const count = walk.across * walk.rows;
  const number = Math.min(Math.max(numberAt(walk, toScreen(walk.whole, camera.center)) + steps, 0), count - 1);
  return { center: toSlide(walk.whole, placeOf(walk, number)), number: number + 1, count };
}

function walkOf(slide: Slide, camera: Camera): Walk {
  const center = { x: slide.width / 2, y: slide.height / 2 };
  const whole = { ...camera, center, zoom: 1, ...sizeTurned(slide, camera.degrees) };
  const fields = (size: number, screen: number) =>
    Math.max(Math.ceil((size * camera.zoom) / (screen * STEP) - 1e-9), 1);
  return { across: fields(whole.width, camera.width), rows: fields(whole.height, camera.height), whole };
}

/** Fields are spread evenly: the first lies at one edge, the last at the other. */
function placeOf({ across, rows, whole }: Walk, number: number): ScreenPoint {
  const row = Math.floor(number / across);
  const column = row % 2 === 0 ? number % across : across - 1 - (number % across);
  return { left: ((column + 0.5) / across) * whole.width, top: ((row + 0.5) / rows) * whole.height };
}

function numberAt({ across, rows, whole }: Walk, { left, top }: ScreenPoint): number {
  const at = (place: number, size: number, count: number) =>
    Math.min(Math.max(Math.floor((place / size) * count), 0), count - 1);
  const [column, row] = [at(left, whole.width, across), at(top, whole.height, rows)];
  return row * across + (row % 2 === 0 ? column : across - 1 - column);
}
