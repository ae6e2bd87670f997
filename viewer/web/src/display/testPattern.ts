// A test pattern for a person who judges a display (of our own drawing; what it shows follows AAPM TG18-QC and TG270): grey
// steps, squares of low contrast, line pairs, corners, the middle, ramps. Pixel for pixel, by whole numbers. Pure.

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

type Part = Box &
  (
    | { readonly kind: "flat"; readonly level: number }
    /** Lines as wide as told, dark first: lying, or standing. */
    | {
        readonly kind: "lines";
        readonly standing: boolean;
        readonly thickness: number;
        readonly dark: number;
        readonly bright: number;
      }
    /** Black to white, to the right. */
    | { readonly kind: "ramp" }
  );

export const STEP_LEVELS: readonly number[] = Array.from({ length: 18 }, (_, index) => index * 15);
const MIDDLE = 128;
const WHITE = 255;
/** Of TG18-QC: just told from black and from white by a good display in its room, 5 % and 95 % of the levels. */
const [NEAR_BLACK, NEAR_WHITE] = [13, 242];
/** Squares in the corners of each step. */
const FAINT = 4;
const FAINTEST_FIRST = Array.from({ length: 14 }, (_, index) => 14 - index);
const GROUNDS = [26, MIDDLE, 230];
const [RULER_MAX, RULER_EDGE, RULER_ROW] = [800, 20, 19];
const [UNITS_ACROSS, UNITS_DOWN] = [32, 20];

function clamped(level: number): number {
  return Math.min(Math.max(level, 0), WHITE);
}

/** A square of four: fine lines lying and standing, black with what is nearly black, white with what is nearly white. */
function quarters({ x, y }: { readonly x: number; readonly y: number }, side: number): readonly Part[] {
  const half = side >> 1;
  const quarter = half >> 1;
  const box = (right: number, down: number) => ({ x: x + right * half, y: y + down * half, width: half, height: half });
  const inner = (right: number, down: number) => ({
    x: x + right * half + (quarter >> 1),
    y: y + down * half + (quarter >> 1),
    width: quarter,
    height: quarter,
  });
  const lines = { kind: "lines", thickness: 1, dark: 0, bright: WHITE } as const;
  return [
    { ...lines, ...box(0, 0), standing: false },
    { ...lines, ...box(1, 0), standing: true },
    { kind: "flat", ...box(0, 1), level: 0 },
    { kind: "flat", ...inner(0, 1), level: NEAR_BLACK },
    { kind: "flat", ...box(1, 1), level: WHITE },
    { kind: "flat", ...inner(1, 1), level: NEAR_WHITE },
  ];
}

/** Where the steps are: nine to the right from black, then nine back below them to white. */
export function stepsOf(width: number, height: number): readonly (Box & { readonly level: number })[] {
  const { unit, left, top } = frameOf(width, height);
  const side = unit * 2;
  return STEP_LEVELS.map((level, index) => {
    const column = index < 9 ? index : 17 - index;
    const row = index < 9 ? 6 : 12;
    return { x: left + unit * (7 + column * 2), y: top + unit * row, width: side, height: side, level };
  });
}

function frameOf(width: number, height: number) {
  const unit = Math.max(4, Math.floor(Math.min(width / UNITS_ACROSS, height / UNITS_DOWN)));
  const left = Math.floor((width - unit * UNITS_ACROSS) / 2);
  return { unit, left, top: Math.floor((height - unit * UNITS_DOWN) / 2) };
}

function steps(width: number, height: number): readonly Part[] {
  return stepsOf(width, height).flatMap(({ level, ...box }): Part[] => {
    const side = Math.max(2, box.width >> 2);
    const small = { width: side, height: side };
    const [right, below] = [box.x + box.width - side, box.y + box.height - side];
    return [
      { kind: "flat", ...box, level },
      { kind: "flat", ...small, x: box.x, y: box.y, level: clamped(level + FAINT) },
      { kind: "flat", ...small, x: right, y: below, level: clamped(level - FAINT) },
    ];
  });
}

/** Three grounds with squares that are 14, 13 ... 1 levels brighter. */
function faintSquares(width: number, height: number): readonly Part[] {
  const { unit, left, top } = frameOf(width, height);
  const side = Math.max(2, Math.floor(unit * 0.6));
  return GROUNDS.flatMap((ground, row): Part[] => {
    const band = { x: left + unit * 7, y: top + unit * (15 + row), width: unit * 18, height: unit };
    const squares = FAINTEST_FIRST.map((step, index): Part => {
      const x = band.x + Math.floor((unit * 18 * (index + 0.5)) / FAINTEST_FIRST.length) - (side >> 1);
      const y = band.y + ((unit - side) >> 1);
      return { kind: "flat", x, y, width: side, height: side, level: ground + step };
    });
    return [{ kind: "flat", ...band, level: ground }, ...squares];
  });
}

/** What is painted, in this order, on a ground of middle grey; device pixels. */
function partsOf(width: number, height: number): readonly Part[] {
  const { unit, left, top } = frameOf(width, height);
  const side = unit * 4;
  const at = (x: number, y: number, across: number, down: number): Box => ({
    x: left + Math.floor(unit * x),
    y: top + Math.floor(unit * y),
    width: Math.floor(unit * across),
    height: Math.floor(unit * down),
  });
  const lines = (x: number, thickness: number, standing: boolean, contrast: number): Part => ({
    kind: "lines",
    ...at(x, 3.5, 3, 1.5),
    standing,
    thickness,
    dark: MIDDLE - contrast,
    bright: MIDDLE + contrast,
  });
  const [right, below] = [width - side - 4, height - side - 4];
  return [
    { kind: "flat", x: 0, y: 0, width, height, level: WHITE },
    { kind: "flat", x: 1, y: 1, width: width - 2, height: height - 2, level: 0 },
    { kind: "flat", x: 2, y: 2, width: width - 4, height: height - 4, level: MIDDLE },
    { kind: "ramp", ...at(7, 2, 18, 1) },
    lines(7, 2, false, 127),
    lines(10.75, 2, true, 127),
    lines(14.5, 1, true, 8),
    lines(18.25, 1, false, 8),
    lines(22, 2, true, 8),
    ...steps(width, height),
    { kind: "flat", ...at(9, 8.5, 3, 3), level: 0 },
    { kind: "flat", ...at(10, 9.5, 1, 1), level: NEAR_BLACK },
    { kind: "flat", ...at(20, 8.5, 3, 3), level: WHITE },
    { kind: "flat", ...at(21, 9.5, 1, 1), level: NEAR_WHITE },
    ...faintSquares(width, height),
    ...ruler(width, height),
    ...[
      { x: 4, y: 4 },
      { x: right, y: 4 },
      { x: 4, y: below },
      { x: right, y: below },
      { x: (width - side) >> 1, y: (height - side) >> 1 },
    ].flatMap((corner) => quarters(corner, side)),
  ];
}

/** How long the line is that somebody measures, device pixels: as long in every window that has room for it. */
export function rulerPixels(width: number): number {
  return Math.min(RULER_MAX, Math.max(0, Math.floor((width - 2 * RULER_EDGE) / 100) * 100));
}

/** A line to be measured, with a mark at each tenth of it, below everything else. */
function ruler(width: number, height: number): readonly Part[] {
  const { unit, top } = frameOf(width, height);
  const length = rulerPixels(width);
  const [left, y] = [(width - length) >> 1, top + Math.floor(unit * RULER_ROW)];
  const flat = { kind: "flat", level: WHITE } as const;
  const marks = Array.from({ length: length > 0 ? 11 : 0 }, (_, tenth): Part => {
    const high = tenth % 10 === 0 ? unit >> 1 : unit >> 2;
    // The length is from the first mark's left edge to the last one's right edge.
    const x = left + Math.round(((length - 1) * tenth) / 10);
    return { ...flat, x, y: y - high, width: 1, height: high };
  });
  return [{ ...flat, x: left, y, width: length, height: 1 }, ...marks];
}

function levelIn(part: Part, x: number, y: number): number {
  switch (part.kind) {
    case "flat":
      return part.level;
    case "ramp":
      return Math.round(((x - part.x) * WHITE) / Math.max(1, part.width - 1));
    case "lines": {
      const along = part.standing ? x - part.x : y - part.y;
      return Math.floor(along / part.thickness) % 2 === 0 ? part.dark : part.bright;
    }
  }
}

/** The pattern's levels, one a pixel, row by row. */
export function paint(width: number, height: number): Uint8ClampedArray {
  const levels = new Uint8ClampedArray(width * height);
  for (const part of partsOf(width, height)) {
    const [right, below] = [Math.min(part.x + part.width, width), Math.min(part.y + part.height, height)];
    for (let y = Math.max(part.y, 0); y < below; y += 1) {
      for (let x = Math.max(part.x, 0); x < right; x += 1) levels[y * width + x] = levelIn(part, x, y);
    }
  }
  return levels;
}
