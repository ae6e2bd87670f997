// Segmentations over a slide.

import type { SlideView } from "../slideView";
import { TileLayer } from "../tileLayer";
import type { DrawnTile } from "../tileMessages";
import type { Ink } from "./messages";

export class SegmentLayer extends TileLayer<Ink> {
  constructor(view: SlideView) {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    super(view, worker, "va-segments");
    worker.onmessage = ({ data }: MessageEvent<DrawnTile>) => this.hear(data);
  }

  protected override over(): void {
    // Nothing is pointed at.
  }
}
