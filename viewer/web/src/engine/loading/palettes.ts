// The colors of images by palette, fetched once for all frames of an instance.

import type { PixelModule } from "../frames/frame";
import { type Colors, colorsOf, type StoredPalette } from "../frames/palette";
import { FrameProblem } from "./problems";

export class Palettes {
  /** By pixel module: the frames of an instance share theirs. */
  private readonly known = new WeakMap<PixelModule, Promise<Colors>>();
  private readonly fetchTable: (url: string) => Promise<Uint8Array>;

  constructor(fetchTable: (url: string) => Promise<Uint8Array>) {
    this.fetchTable = fetchTable;
  }

  /** Throws FrameProblem: "palette" when the palette is absent or damaged, else why it could not be fetched. */
  of(pixels: PixelModule): Promise<Colors> {
    const known = this.known.get(pixels) ?? this.made(pixels);
    this.known.set(pixels, known);
    // What could not be had is asked for anew with the next frame.
    known.catch(() => this.known.delete(pixels));
    return known;
  }

  private async made({ palette, pixelRepresentation }: PixelModule): Promise<Colors> {
    const bytes = palette && (await this.fetched(palette));
    const colors = bytes && colorsOf(palette, bytes, pixelRepresentation === 1);
    if (!colors) throw new FrameProblem("palette");
    return colors;
  }

  private fetched(palette: StoredPalette): Promise<readonly Uint8Array[]> {
    return Promise.all(palette.map(async ({ data, url }) => data ?? (await this.fetchTable(url ?? ""))));
  }
}
