// Zones of devices as the list tells of them. Pure.

import type { PixelZone } from "../api/types";

/** The node takes no more for one device. */
export const ZONE_BOXES_MAX = 64;

/** What names a row: a device may have zones that were drawn, and others that were learnt on some of its pages. */
export function keyOfZone({ site, origin, name }: PixelZone): string {
  return `${site}/${origin}/${name}`;
}

/** What is chosen once the zones of a device were saved. */
export function drawnOf(zones: readonly PixelZone[], of: PixelZone): PixelZone | undefined {
  return zones.find(
    (zone) =>
      zone.origin === "drawn" &&
      zone.site === of.site &&
      zone.manufacturer === of.manufacturer &&
      zone.model === of.model &&
      zone.rows === of.rows &&
      zone.columns === of.columns,
  );
}

/** How far one is: what the list says in a word. */
export type ZoneState = "drawn" | "file" | "learnt" | "learning" | "none";

export function stateOf({ origin, inUse }: PixelZone): ZoneState {
  return origin === "learnt" && !inUse ? "learning" : origin;
}
