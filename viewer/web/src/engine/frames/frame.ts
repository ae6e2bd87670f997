// A frame as the viewport needs it: made from an instance's DICOM JSON, single-frame or with functional groups.

import { type OverlayPlane, overlayPlanesOf } from "../layers/overlayPlanes";
import { items, type JsonDataSet, number, numbers, text, texts } from "./dicomJson";
import type { Orientation, Vector } from "./geometry";
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
  /** Of PALETTE COLOR: its tables, as the metadata tell them. */
  readonly palette: StoredPalette | undefined;
  /** What became of them, once they are here. */
  readonly colors?: Colors;
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
  readonly regions: readonly Region[];
  readonly rescale: { readonly slope: number; readonly intercept: number; readonly type: string | undefined };
  readonly window: VoiWindow | undefined;
  readonly voiFunction: string | undefined;
  readonly sliceThicknessMm: number | undefined;
  readonly frameOfReferenceUid: string | undefined;
  /** Lossy Image Compression (0028,2110) is 01: detail was thrown away and cannot come back. */
  readonly lossy: boolean;
  readonly lossyRatio: number | undefined;
  readonly burnedInAnnotation: boolean;
  /** The image brings a Modality or VOI LUT (PS3.3 C.11.1, C.11.2) that the renderer does not apply. */
  readonly lutIgnored: boolean;
  /** Of a PET: what its values count, and how they become SUV. */
  readonly uptake: Uptake | undefined;
  readonly overlays: readonly OverlayPlane[];
  /** How fast a cine wants to be shown, frames per second. */
  readonly cineRate: number | undefined;
}

const FRAMES_MAX = 20_000;

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
  const bitsAllocated = number(instance, "00280100");
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
    palette: paletteOf(instance),
  };
}

function windowIn(group: JsonDataSet): VoiWindow | undefined {
  const center = number(group, "00281050");
  const width = number(group, "00281051");
  return center === undefined || width === undefined || width < 1 ? undefined : { center, width };
}

/** A VOI LUT beside a window is another way to see the same; a Modality LUT changes what the values mean. */
function ignoresLut(instance: JsonDataSet): boolean {
  const onlyVoiLut = items(instance, "00283010").length > 0 && windowIn(instance) === undefined;
  return items(instance, "00283000").length > 0 || onlyVoiLut;
}

function cineRateOf(instance: JsonDataSet): number | undefined {
  const frameTimeMs = number(instance, "00181063");
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
    lutIgnored: ignoresLut(instance),
    uptake: uptakeOf(instance),
    overlays: overlayPlanesOf(instance),
    cineRate: cineRateOf(instance),
  };
  const count = Math.min(Math.max(number(instance, "00280008") ?? 1, 1), FRAMES_MAX);
  return Array.from({ length: count }, (_, frameIndex): Frame => {
    const group = groupOf(instance, frameIndex);
    const measures = group("00289110");
    const transformation = group("00289145");
    const voi = group("00289132");
    const url = `${seriesUrl}/instances/${sopInstanceUid}/frames/${frameIndex + 1}`;
    return {
      ...common,
      imageId: `vienanh:${url}`,
      url,
      frameNumber: frameIndex + 1,
      position: vector(numbers(group("00209113"), "00200032"), 0),
      orientation: orientationOf(group("00209116")),
      spacing: spacingOf(instance, measures),
      sliceThicknessMm: number(measures, "00180050"),
      window: windowIn(voi),
      voiFunction: texts(voi, "00281056")[0],
      rescale: {
        slope: number(transformation, "00281053") ?? 1,
        intercept: number(transformation, "00281052") ?? 0,
        type: text(transformation, "00281054"),
      },
    };
  });
}
