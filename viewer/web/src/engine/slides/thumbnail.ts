// A slide in small: its coarsest octave, upright, on a canvas.

import { sizeTurned } from "./camera";
import { fetchTile, type TileProblem } from "./fetchTile";
import { uprightDegrees } from "./geometry";
import { decoderOf } from "./profile";
import { firstLayer, type Slide, tileUrl } from "./slide";

/** What became of a thumbnail; `later`: the node is busy, or the line broken. */
export type Drawing = "drawn" | "later" | "none";

const PASSING: readonly TileProblem[] = ["busy", "unreachable"];

/** Draw the whole slide on `canvas`, where its picture can be had. */
export async function drawThumbnail(slide: Slide, canvas: HTMLCanvasElement, signal: AbortSignal): Promise<Drawing> {
  const octave = slide.octaves.at(-1);
  if (!octave) return "none";
  const layer = firstLayer(slide);
  const url = tileUrl(slide, layer, { octave: octave.number, column: 0, row: 0 });
  const answer = await fetchTile(url, layer.managed, signal, decoderOf(slide));
  const context = canvas.getContext("2d");
  if (answer.kind === "problem" && PASSING.includes(answer.problem)) return "later";
  if (answer.kind !== "tile" || !context) return "none";
  const degrees = uprightDegrees(slide.orientation);
  const size = sizeTurned(octave, degrees);
  canvas.width = Math.max(1, Math.round(size.width));
  canvas.height = Math.max(1, Math.round(size.height));
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate((degrees * Math.PI) / 180);
  // A tile at the edge may be filled up beyond the slide.
  const { width, height } = octave;
  context.drawImage(answer.bitmap, 0, 0, width, height, -width / 2, -height / 2, width, height);
  answer.bitmap.close();
  return "drawn";
}
