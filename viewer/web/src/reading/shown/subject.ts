// What a picture can be taken of: a pane of slices, a plane of a reconstruction, a slide.

import { seriesOf } from "../../api/dicomweb";
import type { Study } from "../../api/types";
import type { Caption } from "../../engine/capture/shot";
import type { Frame } from "../../engine/frames/frame";

export interface Subject {
  /** What is taken: its canvases and drawn marks are `stage`'s that cover it. */
  readonly element: HTMLElement;
  readonly stage: Element;
  /** The instance that the node is told of; undefined while none is known. */
  readonly instance: () => Instance | undefined;
  /** `named`: the study whose patient shall stand there; undefined for none. */
  readonly caption: (named: Study | undefined) => Caption;
  /** Of the file, without its ending; it tells nothing of a patient. */
  readonly name: () => string;
  /** Text in the pixels may name the patient. */
  readonly burnedIn: boolean;
}

interface Instance {
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
}

export function instanceOf(frame: Frame | undefined): Instance | undefined {
  const series = seriesOf(frame?.url ?? "")?.series;
  return frame && series !== undefined
    ? { seriesInstanceUID: series, sopInstanceUID: frame.sopInstanceUid }
    : undefined;
}
