// Fetches tiles of segmentations and paints them: all of it beside the page, which is handed pictures.

import { SIDE } from "../cover";
import { type DrawnTile, type DrawOrder, notDrawn } from "../tileMessages";
import type { Ink } from "./messages";
import { paint, readSegmentTile, type SegmentTile } from "./segmentTile";

/** Of tiles that are kept, so that a change of color asks the node nothing. */
const KEPT_PLANES_MAX = 48;
const BUSY = 503;

type Answer = SegmentTile | "busy" | "failed";
const kept = new Map<string, SegmentTile>();

async function tileAt(ink: Ink, key: string): Promise<Answer> {
  const url = `${ink.tiles}/${key}${ink.query}`;
  const known = kept.get(url);
  const tile = known ?? (await fetched(url));
  if (typeof tile === "string") return tile;
  kept.delete(url);
  kept.set(url, tile);
  let planes = 0;
  for (const each of kept.values()) planes += each.size + 1;
  for (const [oldest, { size }] of kept) {
    if (planes <= KEPT_PLANES_MAX || kept.size === 1) break;
    planes -= size + 1;
    kept.delete(oldest);
  }
  return tile;
}

function fetched(url: string): Promise<Answer> {
  return fetch(url, { credentials: "same-origin" })
    .then(async (response): Promise<Answer> => {
      if (response.status === BUSY) return "busy";
      return (response.ok && readSegmentTile(await response.arrayBuffer())) || "failed";
    })
    .catch(() => "failed");
}

async function drawn({ order, key, inks }: DrawOrder<Ink>): Promise<DrawnTile> {
  const tiles = await Promise.all(inks.map((ink) => tileAt(ink, key)));
  const failed = tiles.filter((tile) => tile === "failed").length;
  const nothing = { kind: "drawn", order, bitmap: undefined, failed, busy: tiles.includes("busy") } as const;
  if (nothing.busy) return nothing;
  const picture = new ImageData(SIDE, SIDE);
  let painted = false;
  for (const [index, { segments }] of inks.entries()) {
    const tile = tiles[index];
    if (tile && typeof tile !== "string") painted = paint(picture.data, tile, segments) || painted;
  }
  return painted ? { ...nothing, bitmap: await createImageBitmap(picture) } : nothing;
}

self.onmessage = async ({ data }: MessageEvent<DrawOrder<Ink>>) => {
  const told = await drawn(data).catch(() => notDrawn(data));
  self.postMessage(told, { transfer: told.bitmap ? [told.bitmap] : [] });
};
