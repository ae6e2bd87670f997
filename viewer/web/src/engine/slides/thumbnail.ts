// A slide in small: its coarsest octave, upright, on a canvas.

import { fetchTile } from "./fetchTile";
import { uprightDegrees } from "./geometry";
import { firstLayer, type Slide, tileUrl } from "./slide";

/** Draw the whole slide on `canvas`; false when its picture could not be had. */
export async function drawThumbnail(slide: Slide, canvas: HTMLCanvasElement, signal: AbortSignal): Promise<boolean> {
  const octave = slide.octaves.at(-1);
  if (!octave) return false;
  const layer = firstLayer(slide);
  const url = tileUrl(slide, layer, { octave: octave.number, column: 0, row: 0 });
  const answer = await fetchTile(url, layer.managed, signal);
  const context = canvas.getContext("2d");
  if (answer.kind !== "tile" || !context) return false;
  const turn = (uprightDegrees(slide.orientation) * Math.PI) / 180;
  const [along, aside] = [Math.abs(Math.cos(turn)), Math.abs(Math.sin(turn))];
  canvas.width = Math.max(1, Math.round(octave.width * along + octave.height * aside));
  canvas.height = Math.max(1, Math.round(octave.width * aside + octave.height * along));
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate(turn);
  // A tile at the edge may be filled up beyond the slide.
  const { width, height } = octave;
  context.drawImage(answer.bitmap, 0, 0, width, height, -width / 2, -height / 2, width, height);
  answer.bitmap.close();
  return true;
}
