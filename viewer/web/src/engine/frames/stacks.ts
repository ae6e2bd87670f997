// From the instances of a series to the stacks that a reader scrolls. Pure.

import { isDataSet, type JsonDataSet, personName, text } from "./dicomJson";
import { type Frame, framesOf } from "./frame";
import { inStackOrder, type StackWarning, stackWarnings } from "./stackOrder";

export interface Stack {
  /** Names the stack within its series: "slices", or the instance of a cine. */
  readonly id: string;
  readonly frames: readonly Frame[];
  readonly warnings: readonly StackWarning[];
  /** Frames of one instance, to be played rather than scrolled. */
  readonly cine: boolean;
}

function stackOf(id: string, frames: readonly Frame[], cine: boolean): Stack {
  const ordered = inStackOrder(frames);
  return { id, frames: ordered, warnings: stackWarnings(ordered), cine };
}

/** Single frames belong together; a multi-frame instance is a stack of its own, in order of Instance Number. */
export function stacksOf(instances: readonly unknown[], seriesUrl: string): readonly Stack[] {
  const perInstance = instances.filter(isDataSet).map((instance) => framesOf(instance, seriesUrl));
  const slices = perInstance.filter((frames) => frames.length === 1).flat();
  const films = perInstance
    .filter((frames) => frames.length > 1)
    .sort((a, b) => (a[0]?.instanceNumber ?? 0) - (b[0]?.instanceNumber ?? 0));
  return [
    ...(slices.length > 0 ? [stackOf("slices", slices, false)] : []),
    ...films.map((frames) => stackOf(frames[0]?.sopInstanceUid ?? "", frames, frames[0]?.position === undefined)),
  ];
}

const VL_PHOTOGRAPHIC = "1.2.840.10008.5.1.4.1.1.77.1.4";

/** Whose pictures these are, as an instance says itself. */
export interface Bearer {
  readonly patientName: string;
  readonly patientId: string;
  readonly birthDate: string;
  readonly sex: string;
  /** As DICOM writes it: 068Y. */
  readonly age: string;
  readonly studyDate: string;
  readonly studyDescription: string;
  /** Patient Identity Removed (0012,0062). */
  readonly identityRemoved: boolean;
  /** A photograph, as of a film: nothing to diagnose by. */
  readonly photograph: boolean;
  /** Longitudinal Temporal Information Modified (0028,0303): dates are not the real ones. */
  readonly datesShifted: boolean;
}

export function bearerOf(instances: readonly unknown[]): Bearer | undefined {
  const instance: JsonDataSet | undefined = instances.find(isDataSet);
  if (!instance) return undefined;
  return {
    patientName: personName(instance, "00100010") ?? "",
    patientId: text(instance, "00100020") ?? "",
    birthDate: text(instance, "00100030") ?? "",
    sex: text(instance, "00100040") ?? "",
    age: text(instance, "00101010") ?? "",
    studyDate: text(instance, "00080020") ?? "",
    studyDescription: text(instance, "00081030") ?? "",
    photograph: text(instance, "00080016") === VL_PHOTOGRAPHIC,
    identityRemoved: text(instance, "00120062") === "YES",
    datesShifted: text(instance, "00280303") === "MODIFIED",
  };
}
