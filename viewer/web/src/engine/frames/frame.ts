// A frame as the viewport needs it: made from an instance's DICOM JSON, single-frame or with functional groups.

import { type OverlayPlane, overlayPlanesOf } from "../layers/overlayPlanes";
import { asStored } from "./damagedTables";
import { items, type JsonDataSet, number, numbers, text } from "./dicomJson";
import type { Orientation, Vector } from "./geometry";
import { type ImageWindow, unlike, windowsIn } from "./imageWindows";
import { lookupIn, type StoredLookup } from "./lookup";
import type { PixelSpacing, Region } from "./measure";
import { type Colors, paletteOf, type StoredPalette } from "./palette";
import type { Placed } from "./stackOrder";
import { type Uptake, uptakeOf } from "./suv";
import type { VoiWindow } from "./windowing";

/** The Image Pixel module (PS3.3 C.7.6.3). */
export interface PixelModule {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly photometricInterpretation: string;
  readonly planarConfiguration: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly pixelRepresentation: number;
  /** Samples are floating point numbers (C.7.6.24, C.7.6.25). */
  readonly isFloat: boolean;
  /** Of PALETTE COLOR: its tables, as the metadata tell them. */
  readonly palette: StoredPalette | undefined;
  /** What became of them, once they are here. */
  readonly colors?: Colors;
}

/** How stored values become modality values, and what those count. */
export interface Rescale {
  readonly slope: number;
  readonly intercept: number;
  readonly type: string | undefined;
  /** The image tells it; otherwise values stand for themselves for want of a word. */
  readonly told: boolean;
}

export interface Frame extends Placed {
  /** Names the frame to the image loader; unique in this room. */
  readonly imageId: string;
  /** Where its bytes are (WADO-RS, PS3.18 10.4). */
  readonly url: string;
  readonly sopClassUid: string;
  readonly modality: string;
  readonly pixels: PixelModule;
  readonly spacing: PixelSpacing | undefined;
  /** Height of a pixel by its width, as it is to be drawn. */
  readonly aspect: number;
  readonly regions: readonly Region[];
  readonly rescale: Rescale;
  readonly window: VoiWindow | undefined;
  /** All that a grey image brings along, that one among them. */
  readonly windows: readonly ImageWindow[];
  /** Where values stand for others than these by a straight line, and how values become grey. */
  readonly modalityLookup: StoredLookup | undefined;
  readonly voiLookup: StoredLookup | undefined;
  readonly sliceThicknessMm: number | undefined;
  readonly frameOfReferenceUid: string | undefined;
  /** Lossy Image Compression (0028,2110) is 01: detail was thrown away and cannot come back. */
  readonly lossy: boolean;
  readonly lossyRatio: number | undefined;
  readonly burnedInAnnotation: boolean;
  /** What the image brings to be shown by and contradicts itself: a table without all its entries, a window too narrow. */
  readonly displayIgnored: "modalityLut" | "lut" | "window" | undefined;
  /** Of a PET: what its values count, and how they become SUV. */
  readonly uptake: Uptake | undefined;
  readonly overlays: readonly OverlayPlane[];
  /** How fast a cine wants to be shown, frames per second. */
  readonly cineRate: number | undefined;
}

/** Samples of more than sixteen bits, or no whole numbers: decoders of pictures do not know them. */
export function isWide({ isFloat, bitsAllocated }: PixelModule): boolean {
  return isFloat || bitsAllocated > 16;
}

/** Whether whole numbers of sixteen bits cannot tell a frame's values, so that it is drawn by levels. */
export function wantsLevels({ modality, pixels, rescale, modalityLookup }: Frame): boolean {
  if (!pixels.photometricInterpretation.startsWith("MONOCHROME") || pixels.samplesPerPixel !== 1) return false;
  const isShifted = rescale.slope !== 1 || !Number.isInteger(rescale.intercept);
  // The renderer draws values of PET by a window of its own.
  return isWide(pixels) || isShifted || modalityLookup !== undefined || modality === "PT";
}

const FRAMES_MAX = 20_000;
/** Of a pixel's sides; what is beyond is no picture. */
const ASPECT_MAX = 100;
const DOSE_UNITS: Readonly<Record<string, string>> = { GY: "Gy", RELATIVE: "US" };

function vector(values: readonly number[], from: number): Vector | undefined {
  const [x, y, z] = values.slice(from, from + 3);
  return x === undefined || y === undefined || z === undefined ? undefined : [x, y, z];
}

function orientationOf(group: JsonDataSet): Orientation | undefined {
  const cosines = numbers(group, "00200037");
  const row = vector(cosines, 0);
  const column = vector(cosines, 3);
  return row && column ? { row, column } : undefined;
}

function pair(dataSet: JsonDataSet, tag: string): { rowMm: number; columnMm: number } | undefined {
  const [rowMm, columnMm] = numbers(dataSet, tag);
  return rowMm && columnMm && rowMm > 0 && columnMm > 0 ? { rowMm, columnMm } : undefined;
}

function spacingOf(instance: JsonDataSet, measures: JsonDataSet): PixelSpacing | undefined {
  const inPatient = pair(measures, "00280030");
  if (inPatient) return { ...inPatient, calibration: "patient" };
  const atDetector = pair(instance, "00181164");
  return atDetector && { ...atDetector, calibration: "detector" };
}

/** Physical units code 3 is centimetres (PS3.3 C.8.5.5.1.15). Regions of time or velocity measure no length. */
function regionsOf(instance: JsonDataSet): readonly Region[] {
  const CENTIMETRES = 3;
  return items(instance, "00186011").flatMap((item) => {
    const [left, top, right, bottom] = ["00186018", "0018601A", "0018601C", "0018601E"].map((tag) => number(item, tag));
    const columnMm = Math.abs(number(item, "0018602C") ?? 0) * 10;
    const rowMm = Math.abs(number(item, "0018602E") ?? 0) * 10;
    const isLength = number(item, "00186024") === CENTIMETRES && number(item, "00186026") === CENTIMETRES;
    if (!isLength || !columnMm || !rowMm) return [];
    if (left === undefined || top === undefined || right === undefined || bottom === undefined) return [];
    return [{ left, top, right, bottom, columnMm, rowMm }];
  });
}

function pixelsOf(instance: JsonDataSet): PixelModule | undefined {
  const rows = number(instance, "00280010");
  const columns = number(instance, "00280011");
  const floatBits = "7FE00008" in instance ? 32 : "7FE00009" in instance ? 64 : undefined;
  const bitsAllocated = floatBits ?? number(instance, "00280100");
  if (!rows || !columns || !bitsAllocated) return undefined;
  const bitsStored = number(instance, "00280101") ?? bitsAllocated;
  const samplesPerPixel = number(instance, "00280002") ?? 1;
  return {
    rows,
    columns,
    samplesPerPixel,
    photometricInterpretation: text(instance, "00280004") ?? (samplesPerPixel > 1 ? "RGB" : "MONOCHROME2"),
    planarConfiguration: number(instance, "00280006") ?? 0,
    bitsAllocated,
    bitsStored,
    highBit: number(instance, "00280102") ?? bitsStored - 1,
    pixelRepresentation: number(instance, "00280103") ?? 0,
    isFloat: floatBits !== undefined,
    palette: paletteOf(instance),
  };
}

function ignoredIn(
  instance: JsonDataSet,
  voi: JsonDataSet,
  windows: ReturnType<typeof windowsIn>,
): Frame["displayIgnored"] {
  const isBroken = (group: JsonDataSet, tag: string) => items(group, tag).length > 0 && !lookupIn(group, tag);
  if (isBroken(instance, "00283000")) return "modalityLut";
  if (isBroken(voi, "00283010")) return "lut";
  return windows.length > 0 && !windows[0] ? "window" : undefined;
}

/** Pixel Aspect Ratio (PS3.3 C.7.6.3.1.7) counts where no distances are told. */
function aspectOf(instance: JsonDataSet, spacing: PixelSpacing | undefined): number {
  const [height, width] = spacing ? [spacing.rowMm, spacing.columnMm] : numbers(instance, "00280034");
  const aspect = height && width && height > 0 && width > 0 ? height / width : 1;
  return aspect <= ASPECT_MAX && aspect >= 1 / ASPECT_MAX ? aspect : 1;
}

/** What stored values stand for: by the scaling of a dose's grid (C.8.8.3), else by Rescale, and their unit. */
function rescaleOf(instance: JsonDataSet, group: (sequenceTag: string) => JsonDataSet): Rescale {
  const scaling = number(instance, "3004000E");
  if (scaling !== undefined && scaling > 0) {
    return { slope: scaling, intercept: 0, type: DOSE_UNITS[text(instance, "30040002") ?? ""], told: true };
  }
  const transformation = group("00289145");
  const [slope, intercept] = [number(transformation, "00281053"), number(transformation, "00281052")];
  const said = text(transformation, "00281054");
  const isSaid = said !== undefined && said !== "US";
  const type = isSaid ? said : (realUnitOf(instance, group("00409096")) ?? said);
  const told = slope !== undefined || intercept !== undefined || type !== undefined;
  return { slope: slope || 1, intercept: intercept ?? 0, type, told };
}

/** The unit of a Real World Value Mapping (C.7.6.16.2.11) that leaves values as they are. */
function realUnitOf(instance: JsonDataSet, group: JsonDataSet): string | undefined {
  const real = group === instance ? items(instance, "00409096")[0] : group;
  const isSame = real && number(real, "00409225") === 1 && number(real, "00409224") === 0;
  const [units] = isSame ? items(real, "004008EA") : [];
  const unit = units && text(units, "00080100");
  return unit === "1" ? undefined : unit;
}

/** Cine module (PS3.3 C.7.6.5): a rate, the time of each frame, or a vector of them, which begins with the first's zero. */
function cineRateOf(instance: JsonDataSet): number | undefined {
  const times = numbers(instance, "00181065").slice(1);
  const frameTimeMs = number(instance, "00181063") || times.reduce((sum, time) => sum + time, 0) / times.length;
  const rate = number(instance, "00180040") ?? number(instance, "00082144");
  if (rate && rate > 0) return rate;
  return frameTimeMs && frameTimeMs > 0 ? 1000 / frameTimeMs : undefined;
}

/** Finds the functional group of one frame: its own, else the shared one, else the instance itself. */
function groupOf(instance: JsonDataSet, frameIndex: number): (sequenceTag: string) => JsonDataSet {
  const own = items(instance, "52009230")[frameIndex] ?? {};
  const shared = items(instance, "52009229")[0] ?? {};
  return (tag) => items(own, tag)[0] ?? items(shared, tag)[0] ?? instance;
}

/**
 * The frames of one instance, or none when it holds no image (a report, a waveform) or names itself incompletely.
 *
 * `seriesUrl` is the WADO-RS address of its series; frame numbers count from one.
 */
export function framesOf(instance: JsonDataSet, seriesUrl: string): readonly Frame[] {
  const pixels = pixelsOf(instance);
  const sopInstanceUid = text(instance, "00080018");
  if (!pixels || !sopInstanceUid) return [];
  const common = {
    sopInstanceUid,
    sopClassUid: text(instance, "00080016") ?? "",
    modality: text(instance, "00080060") ?? "OT",
    instanceNumber: number(instance, "00200013"),
    pixels,
    regions: regionsOf(instance),
    frameOfReferenceUid: text(instance, "00200052"),
    lossy: text(instance, "00282110") === "01",
    lossyRatio: numbers(instance, "00282112").at(-1),
    burnedInAnnotation: text(instance, "00280301") === "YES",
    modalityLookup: lookupIn(instance, "00283000"),
    uptake: uptakeOf(instance),
    overlays: overlayPlanesOf(instance),
    cineRate: cineRateOf(instance),
  };
  const count = Math.min(Math.max(number(instance, "00280008") ?? 1, 1), FRAMES_MAX);
  return Array.from({ length: count }, (_, frameIndex): Frame => {
    const group = groupOf(instance, frameIndex);
    const measures = group("00289110");
    const voi = group("00289132");
    const windows = windowsIn(voi);
    const spacing = spacingOf(instance, measures);
    const url = `${seriesUrl}/instances/${sopInstanceUid}/frames/${frameIndex + 1}`;
    const frame: Frame = {
      ...common,
      imageId: `vienanh:${url}`,
      url,
      frameNumber: frameIndex + 1,
      position: vector(numbers(group("00209113"), "00200032"), 0),
      orientation: orientationOf(group("00209116")),
      spacing,
      aspect: aspectOf(instance, spacing),
      sliceThicknessMm: number(measures, "00180050"),
      window: windows[0]?.window,
      windows: pixels.photometricInterpretation.startsWith("MONOCHROME") ? unlike(windows) : [],
      voiLookup: lookupIn(voi, "00283010"),
      displayIgnored: ignoredIn(instance, voi, windows),
      rescale: rescaleOf(instance, group),
    };
    return frame.displayIgnored === "modalityLut" ? asStored(frame) : frame;
  });
}
