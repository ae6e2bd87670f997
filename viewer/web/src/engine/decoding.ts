// From a frame's bytes to the renderer's image: in a form that it draws rightly; what it would not is not drawn.

import type { Types } from "@cornerstonejs/core";
import { createImage } from "@cornerstonejs/dicom-image-loader";
import { FrameProblem } from "./fetchFrame";
import type { Frame, PixelModule } from "./frame";
import { type FramePart, isUncompressed } from "./multipart";
import { drawable } from "./nativePixels";

export class Decoding {
  /** What the chosen backend draws colour from. */
  useRgba = true;
  /** Pixel modules of frames that are drawn in another form than they are stored in. */
  private readonly shapes = new Map<string, PixelModule>();
  /** Frames whose decoded samples are modality values already; the renderer changes its mind about them later. */
  private readonly scaled = new Set<string>();

  async image(frame: Frame, part: FramePart): Promise<Types.IImage> {
    const { bytes, transferSyntaxUid } = this.prepared(frame, part);
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

  private prepared(frame: Frame, part: FramePart): FramePart {
    const { pixels } = frame;
    if (pixels.photometricInterpretation === "PALETTE COLOR" && !pixels.palettes) throw new FrameProblem("unreadable");
    if (!isUncompressed(part.transferSyntaxUid)) {
      if (pixels.samplesPerPixel > 1 && pixels.bitsStored > 8) throw new FrameProblem("unreadable");
      return part;
    }
    const made = drawable(part.bytes, pixels);
    if (!made) throw new FrameProblem("unreadable");
    if (made.pixels !== pixels) this.shapes.set(frame.imageId, made.pixels);
    return { ...part, bytes: made.bytes };
  }
}
