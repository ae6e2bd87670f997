// From a frame's bytes to the renderer's image: in a form that it draws rightly; what it would not is not drawn.

import type { Types } from "@cornerstonejs/core";
import { createImage } from "@cornerstonejs/dicom-image-loader";
import { asStored, withoutVoiLookup } from "../frames/damagedTables";
import { type Frame, isWide, type PixelModule, wantsLevels } from "../frames/frame";
import { type LevelScale, levelsOf } from "../frames/levels";
import { type Lookup, looked } from "../frames/lookup";
import type { Lookups } from "./lookups";
import { EXPLICIT_LITTLE_ENDIAN, type FramePart, isUncompressed } from "./multipart";
import { drawable, type NativePixels, storedValues } from "./nativePixels";
import type { Palettes } from "./palettes";
import { FrameProblem } from "./problems";

const JPEG_BASELINE = "1.2.840.10008.1.2.4.50";
const JPEG_EXTENDED = "1.2.840.10008.1.2.4.51";
/** JPEG 2000 and its High-Throughput kind, lossless or not. */
const JPEG_2000: ReadonlySet<string> = new Set(
  ["90", "91", "201", "202", "203"].map((of) => `1.2.840.10008.1.2.4.${of}`),
);
/** How a codestream begins, where the first component's sign stands behind that, and how far boxes before it may reach. */
const SOC_SIZ = [0xff, 0x4f, 0xff, 0x51];
const SSIZ_AT = 42;
const CODESTREAM_BEGINS_MAX = 1024;

/** Samples that the browser's decoders do not know when they are compressed, so that the server decodes them. */
export function wantsDecoded(pixels: PixelModule): boolean {
  return isWide(pixels) || pixels.bitsAllocated === 1 || (pixels.samplesPerPixel > 1 && pixels.bitsStored > 8);
}

/**
 * Whether the browser's decoder would read a frame wrongly: it takes RGB for YBR, twelve bits for others, and believes a
 * JPEG 2000 codestream rather than the image (Pixel Representation) about whether samples are signed.
 */
export function isMisread(pixels: PixelModule, { transferSyntaxUid, bytes }: FramePart): boolean {
  const signed = JPEG_2000.has(transferSyntaxUid) ? isSignedCodestream(bytes) : undefined;
  if (signed !== undefined && signed !== (pixels.pixelRepresentation === 1)) return true;
  if (pixels.samplesPerPixel === 1) return transferSyntaxUid === JPEG_EXTENDED;
  return transferSyntaxUid === JPEG_BASELINE && pixels.photometricInterpretation === "RGB";
}

/** Whether a codestream's first component is signed (Ssiz; ISO/IEC 15444-1 A.5.1); undefined where its SIZ is not found. */
function isSignedCodestream(bytes: Uint8Array): boolean | undefined {
  const head = bytes.subarray(0, CODESTREAM_BEGINS_MAX);
  const begin = head.findIndex((_, at) => SOC_SIZ.every((byte, index) => head[at + index] === byte));
  const ssiz = begin < 0 ? undefined : bytes[begin + SSIZ_AT];
  return ssiz === undefined ? undefined : ssiz >= 0x80;
}

export class Decoding {
  /** What the chosen backend draws colour from. */
  useRgba = true;
  /** Frames as they are without tables that turned out to be damaged. */
  private readonly corrected = new Map<string, Frame>();
  /** What is drawn of frames that are drawn in another form than they are stored in. */
  private readonly shapes = new Map<string, Partial<Frame>>();
  /** Frames whose decoded samples are modality values already; the renderer changes its mind about them later. */
  private readonly scaled = new Set<string>();
  private readonly scales = new Map<string, LevelScale>();
  /** Modality values of frames whose levels do not tell them. */
  private readonly values = new Map<string, Float32Array>();
  private readonly voiLookups = new Map<string, Lookup>();
  private readonly palettes: Palettes;
  private readonly lookups: Lookups;

  constructor(palettes: Palettes, lookups: Lookups) {
    this.palettes = palettes;
    this.lookups = lookups;
  }

  async image(told: Frame, part: FramePart): Promise<Types.IImage> {
    const modalityLookup = await this.readTables(told);
    const frame = this.asRead(told);
    if (wantsLevels(frame)) return this.byLevels(frame, part, modalityLookup);
    const { bytes, transferSyntaxUid } = await this.prepared(frame, part);
    const image = await createImage(frame.imageId, bytes, transferSyntaxUid, { useRGBA: this.useRgba });
    if (image.preScale?.scaled) this.scaled.add(frame.imageId);
    return image as Types.IImage;
  }

  /** The frame as it turned out to be: without tables that are damaged. */
  asRead(frame: Frame): Frame {
    return this.corrected.get(frame.imageId) ?? frame;
  }

  /** The frame with what is drawn of it. */
  asDrawn(frame: Frame): Frame {
    const shape = this.shapes.get(frame.imageId);
    return { ...this.asRead(frame), ...shape };
  }

  holdsModalityValues(imageId: string): boolean {
    return this.scaled.has(imageId);
  }

  /** What the samples of an image drawn by levels stand for; undefined of others. */
  scaleOf(imageId: string): LevelScale | undefined {
    return this.scales.get(imageId);
  }

  /** Modality values of an image whose samples do not tell them. */
  valuesOf(imageId: string): Float32Array | undefined {
    return this.values.get(imageId);
  }

  voiLookupOf(imageId: string): Lookup | undefined {
    return this.voiLookups.get(imageId);
  }

  forget(imageId: string): void {
    this.corrected.delete(imageId);
    this.shapes.delete(imageId);
    this.scaled.delete(imageId);
    this.scales.delete(imageId);
    this.values.delete(imageId);
    this.voiLookups.delete(imageId);
  }

  /** Fetch a frame's tables, and note what it is without the damaged ones. The answer is its Modality LUT. */
  private async readTables(frame: Frame): Promise<Lookup | undefined> {
    const { imageId, pixels, rescale } = frame;
    const signed = pixels.pixelRepresentation === 1;
    const modality = frame.modalityLookup && (await this.lookups.of(frame.modalityLookup, signed));
    if (frame.modalityLookup && !modality) {
      this.corrected.set(imageId, asStored(frame));
      return undefined;
    }
    if (frame.voiLookup) {
      // What it maps is signed when stored values are, or their intercept takes them below zero (C.11.2.1.1).
      const voi = await this.lookups.of(frame.voiLookup, (signed || rescale.intercept < 0) && !modality);
      if (voi) this.voiLookups.set(imageId, voi);
      else this.corrected.set(imageId, withoutVoiLookup(frame));
    }
    return modality;
  }

  /** An image of levels; its modality values are kept where levels do not tell them. */
  private async byLevels(frame: Frame, part: FramePart, lookup: Lookup | undefined): Promise<Types.IImage> {
    const { imageId, pixels, rescale } = frame;
    const stored = await this.stored(frame, part);
    const values = lookup
      ? stored.map((value) => looked(lookup, value))
      : stored.map((value) => value * rescale.slope + rescale.intercept);
    const step = lookup ? 1 : Math.abs(rescale.slope);
    const { samples, scale, exact } = levelsOf(values, pixels.isFloat ? undefined : step);
    this.scales.set(imageId, scale);
    if (exact) this.values.delete(imageId);
    else this.values.set(imageId, Float32Array.from(values));
    const sixteen = { bitsAllocated: 16, bitsStored: 16, highBit: 15, pixelRepresentation: 0, isFloat: false };
    const identity = { ...rescale, slope: 1, intercept: 0 };
    this.shapes.set(imageId, { pixels: { ...pixels, ...sixteen }, rescale: identity, window: undefined });
    const bytes = new Uint8Array(samples.buffer);
    return (await createImage(imageId, bytes, EXPLICIT_LITTLE_ENDIAN, { useRGBA: this.useRgba })) as Types.IImage;
  }

  /** Values as they are stored. */
  private async stored(frame: Frame, { bytes, transferSyntaxUid }: FramePart): Promise<Float64Array> {
    if (isUncompressed(transferSyntaxUid)) {
      const native = drawable(bytes, frame.pixels);
      const values = native && storedValues(native.bytes, native.pixels);
      if (!values)
        throw new FrameProblem(frame.pixels.bitsAllocated > 32 && !frame.pixels.isFloat ? "samples" : "damaged");
      return values;
    }
    if (isWide(frame.pixels)) throw new FrameProblem("syntax");
    const rescale = { ...frame.rescale, slope: 1, intercept: 0, type: undefined };
    this.shapes.set(frame.imageId, { rescale, window: undefined });
    const image = await createImage(frame.imageId, bytes, transferSyntaxUid, { preScale: { enabled: false } });
    return Float64Array.from((image as Types.IImage).getPixelData());
  }

  private async prepared(frame: Frame, part: FramePart): Promise<FramePart> {
    const { bytes, pixels } = drawableOf(frame.pixels, part);
    if (pixels.photometricInterpretation === "PALETTE COLOR") {
      this.shapes.set(frame.imageId, { pixels: { ...pixels, colors: await this.palettes.of(frame.pixels) } });
    } else if (pixels !== frame.pixels) this.shapes.set(frame.imageId, { pixels });
    return { ...part, bytes };
  }
}

/** Throws FrameProblem for pixels that would not be drawn rightly. */
function drawableOf(pixels: PixelModule, { bytes, transferSyntaxUid }: FramePart): NativePixels {
  if (isUncompressed(transferSyntaxUid)) {
    const made = drawable(bytes, pixels);
    if (!made) throw new FrameProblem("samples");
    return made;
  }
  if (wantsDecoded(pixels)) throw new FrameProblem("syntax");
  return { bytes, pixels };
}
