// A slide as the engine needs it described: its pyramid, its scale, and how it lay on the stage of the scanner.

/** One level of the pyramid; `number` 0 is the finest, each further one half of the one before. */
export interface Octave {
  readonly number: number;
  /** In pixels of this octave. */
  readonly width: number;
  readonly height: number;
  /** Tiles in a row, rows of tiles. */
  readonly columns: number;
  readonly rows: number;
  /** Whether the slide has it; others are made when they are asked for. */
  readonly stored: boolean;
}

interface FocalPlane {
  readonly number: number;
  /** Above the glass. */
  readonly microns: number;
}

interface OpticalPath {
  readonly number: number;
  readonly name: string;
}

export interface Slide {
  /** Changes whenever the slide's bytes do. */
  readonly revision: string;
  /** Of the Total Pixel Matrix, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** Finest first, down to one tile. */
  readonly octaves: readonly Octave[];
  /** Microns per pixel of the finest octave, along a row and down a column. */
  readonly mpp: readonly number[] | null;
  /** Power of the scanner's objective. */
  readonly objective: number | null;
  readonly focalPlanes: readonly FocalPlane[];
  readonly opticalPaths: readonly OpticalPath[];
  /** Image Orientation (Slide) (0048,0102): six direction cosines. */
  readonly orientation: readonly number[] | null;
  /** Center of the first pixel in the slide's coordinates (0048,0008). */
  readonly originMm: readonly number[] | null;
  readonly hasIcc: boolean;
  /** Address of the color profile, if it is too long to be in every tile. */
  readonly icc: string | null;
  /** Address of the tiles: `{tiles}/{path}/{plane}/{octave}/{column}_{row}`. */
  readonly tiles: string;
}

/** A place in the Total Pixel Matrix: pixels from its top left corner, to the right and down, with fractions. */
export interface SlidePoint {
  readonly x: number;
  readonly y: number;
}

/** Which of a slide's layers is looked at. */
export interface Layer {
  readonly opticalPath: number;
  readonly focalPlane: number;
  /** Whether the browser heeds the tiles' color profile. */
  readonly managed: boolean;
}

/** Where a tile is; `octave` as the server counts, columns and rows from zero. */
export interface TilePlace {
  readonly octave: number;
  readonly column: number;
  readonly row: number;
}

export function tileUrl(slide: Slide, layer: Layer, { octave, column, row }: TilePlace): string {
  return `${slide.tiles}/${layer.opticalPath}/${layer.focalPlane}/${octave}/${column}_${row}`;
}

/** What one looks at first: the first path, the plane in the middle of the stack, in true colors. */
export function firstLayer(slide: Slide): Layer {
  const planes = [...slide.focalPlanes].sort((a, b) => a.microns - b.microns);
  const middle = planes[Math.floor((planes.length - 1) / 2)];
  return { opticalPath: slide.opticalPaths[0]?.number ?? 0, focalPlane: middle?.number ?? 0, managed: true };
}

/** The plane `steps` above the present one, or the last there is. */
export function planeBeside(slide: Slide, focalPlane: number, steps: number): number {
  const planes = [...slide.focalPlanes].sort((a, b) => a.microns - b.microns);
  const index = planes.findIndex(({ number }) => number === focalPlane) + steps;
  return planes[Math.min(Math.max(index, 0), planes.length - 1)]?.number ?? focalPlane;
}

/** The optical path after the present one, and after the last the first. */
export function pathAfter(slide: Slide, opticalPath: number): number {
  const index = slide.opticalPaths.findIndex(({ number }) => number === opticalPath);
  return slide.opticalPaths[(index + 1) % slide.opticalPaths.length]?.number ?? opticalPath;
}
