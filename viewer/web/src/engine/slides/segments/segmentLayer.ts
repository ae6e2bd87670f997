// Segmentations over a slide.

import type { SlideView } from "../slideView";
import { TileLayer } from "../tileLayer";
import type { Ink } from "./messages";

export class SegmentLayer extends TileLayer<Ink> {
  constructor(view: SlideView) {
    super(view, () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }), "va-segments");
  }

  protected override over(): void {
    // Nothing is pointed at.
  }
}
