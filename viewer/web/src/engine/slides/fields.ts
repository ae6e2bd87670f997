// Walking over a slide field by field, as one moves the glass under a microscope: along a row, down, and back. Pure.

import type { Camera } from "./camera";
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
  /** Size of the slide as it lies on the screen, and of a step, in pixels of the finest octave. */
  readonly width: number;
  readonly height: number;
}

/** The field so many steps from the one that is nearest to what one looks at; the first and the last are the ends. */
export function fieldBeside(slide: Slide, camera: Camera, steps: number): Field {
  const walk = walkOf(slide, camera);
  const count = walk.across * walk.rows;
  const number = Math.min(Math.max(numberAt(walk, toSeen(slide, camera, camera.center)) + steps, 0), count - 1);
  return { center: fromSeen(slide, camera, placeOf(walk, number)), number: number + 1, count };
}

function walkOf(slide: Slide, camera: Camera): Walk {
  const { width, height } = sizeSeen(slide, (camera.degrees * Math.PI) / 180);
  const fields = (size: number, screen: number) =>
    Math.max(Math.ceil((size * camera.zoom) / (screen * STEP) - 1e-9), 1);
  return { across: fields(width, camera.width), rows: fields(height, camera.height), width, height };
}

/** Fields are spread evenly: the first lies at one edge, the last at the other. */
function placeOf({ across, rows, width, height }: Walk, number: number): SlidePoint {
  const row = Math.floor(number / across);
  const column = row % 2 === 0 ? number % across : across - 1 - (number % across);
  return { x: ((column + 0.5) / across) * width, y: ((row + 0.5) / rows) * height };
}

function numberAt({ across, rows, width, height }: Walk, { x, y }: SlidePoint): number {
  const at = (place: number, size: number, count: number) =>
    Math.min(Math.max(Math.floor((place / size) * count), 0), count - 1);
  const [column, row] = [at(x, width, across), at(y, height, rows)];
  return row * across + (row % 2 === 0 ? column : across - 1 - column);
}

/** A place of the slide as it lies on the screen: right and down from the top left corner of what it fills. */
function toSeen(slide: Slide, { degrees, mirrored }: Camera, { x, y }: SlidePoint): SlidePoint {
  const turn = (degrees * Math.PI) / 180;
  const [right, down] = [x - slide.width / 2, y - slide.height / 2];
  const across = (right * Math.cos(turn) - down * Math.sin(turn)) * (mirrored ? -1 : 1);
  const below = right * Math.sin(turn) + down * Math.cos(turn);
  const { width, height } = sizeSeen(slide, turn);
  return { x: across + width / 2, y: below + height / 2 };
}

function fromSeen(slide: Slide, { degrees, mirrored }: Camera, { x, y }: SlidePoint): SlidePoint {
  const turn = (degrees * Math.PI) / 180;
  const { width, height } = sizeSeen(slide, turn);
  const [across, below] = [(x - width / 2) * (mirrored ? -1 : 1), y - height / 2];
  return {
    x: across * Math.cos(turn) + below * Math.sin(turn) + slide.width / 2,
    y: -across * Math.sin(turn) + below * Math.cos(turn) + slide.height / 2,
  };
}

function sizeSeen(slide: Slide, turn: number): { readonly width: number; readonly height: number } {
  const [along, aside] = [Math.abs(Math.cos(turn)), Math.abs(Math.sin(turn))];
  return { width: slide.width * along + slide.height * aside, height: slide.width * aside + slide.height * along };
}
