// A frame in the words the renderer asks for: its metadata modules. Pure.

import type { Frame, PixelModule } from "../frames/frame";

const DEFAULT_ROW = [1, 0, 0] as const;
const DEFAULT_COLUMN = [0, 1, 0] as const;

/**
 * The plane that the renderer works in.
 *
 * Its units are millimetres only when the frame is calibrated in the patient; otherwise one pixel is one unit wide.
 * Lengths are never taken from here but from `lengthBetween`, which knows the calibration.
 */
function imagePlane(frame: Frame): object {
  const spacing = frame.spacing?.calibration === "patient" ? frame.spacing : undefined;
  const row = frame.orientation?.row ?? DEFAULT_ROW;
  const column = frame.orientation?.column ?? DEFAULT_COLUMN;
  const rowMm = spacing?.rowMm ?? frame.aspect;
  const columnMm = spacing?.columnMm ?? 1;
  return {
    frameOfReferenceUID: frame.frameOfReferenceUid ?? frame.sopInstanceUid,
    rows: frame.pixels.rows,
    columns: frame.pixels.columns,
    imageOrientationPatient: [...row, ...column],
    rowCosines: [...row],
    columnCosines: [...column],
    imagePositionPatient: [...(frame.position ?? [0, 0, 0])],
    sliceThickness: frame.sliceThicknessMm,
    pixelSpacing: [rowMm, columnMm],
    rowPixelSpacing: rowMm,
    columnPixelSpacing: columnMm,
    usingDefaultValues: spacing === undefined,
  };
}

/** Tables of a palette are given expanded, eight bits an entry. */
function imagePixel({ colors, ...pixels }: PixelModule): object {
  const [red, green, blue] = colors?.channels ?? [];
  const descriptor = colors && [colors.channels[0].length, colors.first, 8];
  return {
    ...pixels,
    redPaletteColorLookupTableDescriptor: descriptor,
    greenPaletteColorLookupTableDescriptor: descriptor,
    bluePaletteColorLookupTableDescriptor: descriptor,
    redPaletteColorLookupTableData: red,
    greenPaletteColorLookupTableData: green,
    bluePaletteColorLookupTableData: blue,
  };
}

/** The module of a name, or undefined when the renderer should look elsewhere. */
export function moduleOf(name: string, frame: Frame): object | undefined {
  switch (name) {
    case "imagePixelModule":
      return imagePixel(frame.pixels);
    case "imagePlaneModule":
      return imagePlane(frame);
    case "voiLutModule":
      return {
        windowCenter: frame.window ? [frame.window.center] : undefined,
        windowWidth: frame.window ? [frame.window.width] : undefined,
      };
    case "modalityLutModule":
      return {
        rescaleSlope: frame.rescale.slope,
        rescaleIntercept: frame.rescale.intercept,
        rescaleType: frame.rescale.type,
      };
    case "generalSeriesModule":
      return { modality: frame.modality };
    case "sopCommonModule":
      return { sopClassUID: frame.sopClassUid, sopInstanceUID: frame.sopInstanceUid };
    case "generalImageModule":
      return { sopInstanceUID: frame.sopInstanceUid, instanceNumber: frame.instanceNumber };
    default:
      return undefined;
  }
}
