// Segmentations (PS3.3 A.51): which of their frames lie on an image, and where on it. Pure.

import { items, type JsonDataSet, number, text } from "../frames/dicomJson";
import { type Frame, framesOf } from "../frames/frame";
import { dot, normalOf } from "../frames/geometry";
import { inOneSpace, placeInImage } from "../stack/pointing";

/** Segmentation Storage, and Label Map Segmentation Storage. */
const STORAGES: readonly (string | undefined)[] = ["1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"];
const KINDS: readonly (string | undefined)[] = ["BINARY", "FRACTIONAL", "LABELMAP"];

interface Segment {
  readonly number: number;
  readonly label: string;
}

export interface SegmentFrame {
  readonly frame: Frame;
  /** Undefined: samples are the numbers of segments (LABELMAP). */
  readonly segment: number | undefined;
  /** The image that it was made of; undefined when it does not say. */
  readonly madeOf: string | undefined;
}

export interface Segmentation {
  readonly sopInstanceUid: string;
  readonly label: string;
  readonly segments: readonly Segment[];
  readonly frames: readonly SegmentFrame[];
  /** The sample that means wholly inside. */
  readonly full: number;
}

/** Where a layer's first pixel begins on an image, and how large its pixels are there; in pixels of the image. */
export interface Placement {
  readonly column: number;
  readonly row: number;
  readonly across: number;
  readonly down: number;
}

const PARALLEL = 0.999;
/** A frame this far off an image's plane still lies in it: what positions are rounded to. */
const OFF_MM_MAX = 0.1;

/** Undefined for what is no segmentation of a kind that is shown. The background of a label map is no segment. */
export function segmentationOf(instance: JsonDataSet, seriesUrl: string): Segmentation | undefined {
  const kind = text(instance, "00620001");
  if (!STORAGES.includes(text(instance, "00080016")) || !KINDS.includes(kind)) return undefined;
  const isMap = kind === "LABELMAP";
  const background = isMap ? [0, number(instance, "00280120")] : [];
  const shared = items(instance, "52009229")[0] ?? {};
  const groups = items(instance, "52009230");
  const frames = framesOf(instance, seriesUrl).flatMap((frame, index): SegmentFrame[] => {
    const own = groups[index] ?? {};
    const identification = items(own, "0062000A")[0] ?? items(shared, "0062000A")[0];
    const segment = isMap ? undefined : identification && number(identification, "0062000B");
    const derivation = items(own, "00089124")[0];
    const source = derivation && items(derivation, "00082112")[0];
    return segment === undefined && !isMap ? [] : [{ frame, segment, madeOf: source && text(source, "00081155") }];
  });
  return {
    sopInstanceUid: text(instance, "00080018") ?? "",
    label: text(instance, "0008103E") ?? text(instance, "00700080") ?? "",
    segments: items(instance, "00620002")
      .map((segment, index) => ({
        number: number(segment, "00620004") ?? index + 1,
        label: text(segment, "00620005") ?? "",
      }))
      .filter((segment) => !background.includes(segment.number)),
    frames,
    full: kind === "BINARY" ? 1 : (number(instance, "0062000E") ?? 255),
  };
}

/** Where a segmentation's frame lies on an image; undefined when it does not. */
export function placementOn(image: Frame, { frame, madeOf }: SegmentFrame): Placement | undefined {
  if (frame.position && frame.orientation && frame.spacing && image.orientation && image.spacing) {
    const at = inOneSpace(frame, image) ? placeInImage(image, frame.position) : undefined;
    const along = dot(frame.orientation.row, image.orientation.row);
    const facing = dot(normalOf(frame.orientation), normalOf(image.orientation));
    if (!at || at.offMm > OFF_MM_MAX || along < PARALLEL || facing < PARALLEL) return undefined;
    const across = frame.spacing.columnMm / image.spacing.columnMm;
    const down = frame.spacing.rowMm / image.spacing.rowMm;
    // Positions are those of the first pixels' centers; a layer begins at its first pixel's corner.
    return { column: at.column + 0.5 - across / 2, row: at.row + 0.5 - down / 2, across, down };
  }
  const sized = frame.pixels.rows === image.pixels.rows && frame.pixels.columns === image.pixels.columns;
  return madeOf === image.sopInstanceUid && sized ? { column: 0, row: 0, across: 1, down: 1 } : undefined;
}
