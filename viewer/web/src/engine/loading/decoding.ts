// From a frame's bytes to the renderer's image: in a form that it draws rightly; what it would not is not drawn.

import type { Types } from "@cornerstonejs/core";
import { createImage } from "@cornerstonejs/dicom-image-loader";
import type { Frame, PixelModule } from "../frames/frame";
import { FrameProblem } from "./fetchFrame";
import { type FramePart, isUncompressed } from "./multipart";
import { drawable, type NativePixels } from "./nativePixels";
import type { Palettes } from "./palettes";

export class Decoding {
  /** What the chosen backend draws colour from. */
  useRgba = true;
  /** Pixel modules of frames that are drawn in another form than they are stored in. */
  private readonly shapes = new Map<string, PixelModule>();
  /** Frames whose decoded samples are modality values already; the renderer changes its mind about them later. */
  private readonly scaled = new Set<string>();
  private readonly palettes: Palettes;

  constructor(palettes: Palettes) {
    this.palettes = palettes;
  }

  async image(frame: Frame, part: FramePart): Promise<Types.IImage> {
    const { bytes, transferSyntaxUid } = await this.prepared(frame, part);
    const image = await createImage(frame.imageId, bytes, transferSyntaxUid, { useRGBA: this.useRgba });
    if (image.preScale?.scaled) this.scaled.add(frame.imageId);
    return image as Types.IImage;
  }

  /** The frame with the pixel module of what is drawn. */
  asDrawn(frame: Frame): Frame {
    const pixels = this.shapes.get(frame.imageId);
    return pixels ? { ...frame, pixels } : frame;
  }

  holdsModalityValues(imageId: string): boolean {
    return this.scaled.has(imageId);
  }

  forget(imageId: string): void {
    this.shapes.delete(imageId);
    this.scaled.delete(imageId);
  }

  private async prepared(frame: Frame, part: FramePart): Promise<FramePart> {
    const { bytes, pixels } = drawableOf(frame.pixels, part);
    if (pixels.photometricInterpretation === "PALETTE COLOR") {
      this.shapes.set(frame.imageId, { ...pixels, colors: await this.palettes.of(frame.pixels) });
    } else if (pixels !== frame.pixels) this.shapes.set(frame.imageId, pixels);
    return { ...part, bytes };
  }
}

/** Throws FrameProblem for pixels that would not be drawn rightly. */
function drawableOf(pixels: PixelModule, { bytes, transferSyntaxUid }: FramePart): NativePixels {
  if (isUncompressed(transferSyntaxUid)) {
    const made = drawable(bytes, pixels);
    if (!made) throw new FrameProblem("unreadable");
    return made;
  }
  if (pixels.samplesPerPixel > 1 && pixels.bitsStored > 8) throw new FrameProblem("unreadable");
  return { bytes, pixels };
}
