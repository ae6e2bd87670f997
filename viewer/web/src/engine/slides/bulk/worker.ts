// Fetches tiles of bulk annotations, reads them and draws them: all of it beside the page, which is handed pictures.

import { SIDE } from "../cover";
import { notDrawn } from "../tileMessages";
import { type BulkTile, foundAt, readBulkTile } from "./bulkTile";
import type { FindOrder, Found, Ink, Order, Told } from "./messages";

const KEPT_MAX = 96;
const LINE_PX = 1.5;
const DOT_PX = 2;
/** Many dots are a veil through which the tissue is seen. */
const DOT_OPACITY = 0.4;
const kept = new Map<string, Promise<BulkTile | undefined>>();

function tileAt(ink: Ink, key: string): Promise<BulkTile | undefined> {
  const url = `${ink.tiles}/${key}${ink.query}`;
  const known = kept.get(url) ?? fetched(url);
  kept.delete(url);
  kept.set(url, known);
  const oldest = kept.keys().next().value;
  if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest);
  return known;
}

/** Undefined when it could not be had; it is asked for again the next time. */
async function fetched(url: string): Promise<BulkTile | undefined> {
  const tile = await fetch(url, { credentials: "same-origin" })
    .then(async (response) => (response.ok ? readBulkTile(await response.arrayBuffer()) : undefined))
    .catch(() => undefined);
  if (!tile) kept.delete(url);
  return tile;
}

function draw(context: OffscreenCanvasRenderingContext2D, tile: BulkTile, color: string): void {
  const { dots, ends, points, closed } = tile;
  context.strokeStyle = color;
  context.fillStyle = color;
  context.lineWidth = LINE_PX;
  context.globalAlpha = DOT_OPACITY;
  for (let at = 0; at < dots.length; at += 2)
    context.fillRect((dots[at] ?? 0) - DOT_PX / 2, (dots[at + 1] ?? 0) - DOT_PX / 2, DOT_PX, DOT_PX);
  context.globalAlpha = 1;
  let at = 0;
  for (const end of ends) {
    context.beginPath();
    context.moveTo(points[2 * at] ?? 0, points[2 * at + 1] ?? 0);
    for (at += 1; at < end; at += 1) context.lineTo(points[2 * at] ?? 0, points[2 * at + 1] ?? 0);
    if (closed) context.closePath();
    context.stroke();
  }
}

async function drawn(order: number, key: string, inks: readonly Ink[]): Promise<Told> {
  const tiles = await Promise.all(inks.map((ink) => tileAt(ink, key)));
  const failed = tiles.filter((tile) => !tile).length;
  const isEmpty = tiles.every((tile) => !tile || tile.dots.length + tile.points.length === 0);
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d");
  if (isEmpty || !context) return { kind: "drawn", order, bitmap: undefined, failed, busy: false };
  for (const [index, ink] of inks.entries()) {
    const tile = tiles[index];
    if (tile) draw(context, tile, ink.color);
  }
  return { kind: "drawn", order, bitmap: canvas.transferToImageBitmap(), failed, busy: false };
}

async function found({ order, key, inks, right, down, reach }: FindOrder): Promise<Found> {
  // What was drawn last lies on top.
  for (const ink of inks.toReversed()) {
    const tile = await tileAt(ink, key);
    const hit = tile && foundAt(tile, right, down, reach);
    if (hit) return { kind: "found", order, group: ink.group, number: hit.number, points: hit.points.slice() };
  }
  return nothingFound(order);
}

function nothingFound(order: number): Found {
  return { kind: "found", order, group: undefined, number: undefined, points: undefined };
}

function answered(order: Order): Promise<Told> {
  if (order.kind === "find") return found(order).catch(() => nothingFound(order.order));
  return drawn(order.order, order.key, order.inks).catch(() => notDrawn(order));
}

self.onmessage = async ({ data }: MessageEvent<Order>) => {
  const told = await answered(data);
  const transfer = told.kind === "drawn" && told.bitmap ? [told.bitmap] : [];
  self.postMessage(told, { transfer });
};
