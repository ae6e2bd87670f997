// Window presets by modality: a table. The key is the digit that chooses one; 0 is the image's own window.

import { fullWindow, type VoiWindow, withContrast } from "./windowing";

/** Names are keys of the language files (reading:preset.*). */
type PresetName =
  | "own"
  | "full"
  | "contrastHigh"
  | "contrastLow"
  | "abdomen"
  | "lung"
  | "bone"
  | "brain"
  | "mediastinum"
  | "liver"
  | "stroke"
  | "temporalBone"
  | "angiography";

export interface Preset {
  readonly key: string;
  readonly name: PresetName;
  /** Fixed for CT, where values are Hounsfield units; elsewhere from the image. */
  readonly window: (image: ImageRange) => VoiWindow;
  readonly fixed?: VoiWindow;
}

/** What a preset may look at: the image's own window and its lowest and highest modality value. */
export interface ImageRange {
  readonly own: VoiWindow;
  readonly lowest: number;
  readonly highest: number;
}

function hounsfield(key: string, name: PresetName, center: number, width: number): Preset {
  const fixed = { center, width };
  return { key, name, fixed, window: () => fixed };
}

const RELATIVE: readonly Preset[] = [
  { key: "0", name: "own", window: (image) => image.own },
  { key: "1", name: "full", window: (image) => fullWindow(image.lowest, image.highest) },
  { key: "2", name: "contrastHigh", window: (image) => withContrast(image.own, 0.5) },
  { key: "3", name: "contrastLow", window: (image) => withContrast(image.own, 2) },
];

const COMPUTED_TOMOGRAPHY: readonly Preset[] = [
  { key: "0", name: "own", window: (image) => image.own },
  hounsfield("1", "abdomen", 40, 400),
  hounsfield("2", "lung", -600, 1500),
  hounsfield("3", "bone", 400, 2000),
  hounsfield("4", "brain", 40, 80),
  hounsfield("5", "mediastinum", 50, 350),
  hounsfield("6", "liver", 60, 160),
  hounsfield("7", "stroke", 35, 40),
  hounsfield("8", "temporalBone", 600, 4000),
  hounsfield("9", "angiography", 300, 600),
];

/** Only CT in Hounsfield units has fixed windows; `rescaleType` is the image's Rescale Type, undefined when absent. */
export function presetsOf(modality: string, rescaleType?: string): readonly Preset[] {
  const hounsfieldUnits = rescaleType === undefined || rescaleType === "HU";
  return modality === "CT" && hounsfieldUnits ? COMPUTED_TOMOGRAPHY : RELATIVE;
}
