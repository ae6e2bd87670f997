// Where devices write: what is known of it, and what a person draws.

import { queryOptions } from "@tanstack/react-query";
import { ask } from "./client";
import { type Result, unwrap } from "./result";
import type { Box, PixelZone } from "./types";

const ZONES_MS = 30_000;
const ALL = "/api/pixel-zones";

export const zonesQuery = queryOptions({
  queryKey: ["zones"],
  queryFn: async ({ signal }) => unwrap(await ask<readonly PixelZone[]>("GET", ALL, { signal })),
  refetchInterval: ZONES_MS,
  retry: 1,
});

/** Have these masked in every later instance of the device, whatever is found. */
export function saveZone(zone: PixelZone, boxes: readonly Box[]): Promise<Result<undefined>> {
  const { site, manufacturer, model, rows, columns } = zone;
  return ask<undefined>("PUT", ALL, { body: { site, manufacturer, model, rows, columns, boxes } });
}

/** Remove what was drawn, or forget what was learnt. */
export function removeZone({ site, name, origin }: PixelZone): Promise<Result<undefined>> {
  const query = new URLSearchParams({ site, origin }).toString();
  return ask<undefined>("DELETE", `${ALL}/${encodeURIComponent(name)}?${query}`);
}
