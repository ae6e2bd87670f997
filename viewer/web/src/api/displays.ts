// The displays that people read on, and their checks, as the node keeps them.

import { queryOptions } from "@tanstack/react-query";
import { ask } from "./client";
import { type Result, unwrap } from "./result";
import type { DisplayCheck, DisplayItem, RecordedCheck } from "./types";

const ADDRESS = "/api/displays";
const FRESH_MS = 600_000;

export const displaysQuery = queryOptions({
  queryKey: ["displays"],
  queryFn: async ({ signal }) => unwrap(await ask<readonly DisplayItem[]>("GET", ADDRESS, { signal })),
  staleTime: FRESH_MS,
  retry: 1,
});

export const retiredQuery = queryOptions({
  queryKey: [...displaysQuery.queryKey, "retired"],
  queryFn: async ({ signal }) => unwrap(await ask<readonly DisplayItem[]>("GET", `${ADDRESS}/retired`, { signal })),
  staleTime: FRESH_MS,
  retry: 1,
});

/** The checks of a display, the newest first. */
export function checksQuery(display: string) {
  return queryOptions({
    queryKey: [...displaysQuery.queryKey, display, "checks"],
    queryFn: async ({ signal }) =>
      unwrap(await ask<readonly RecordedCheck[]>("GET", `${ADDRESS}/${display}/checks`, { signal })),
    staleTime: FRESH_MS,
    retry: 1,
  });
}

export function registerDisplay(name: string, place: string): Promise<Result<DisplayItem>> {
  return ask<DisplayItem>("POST", ADDRESS, { body: { name, place } });
}

export function recordCheck(display: string, check: DisplayCheck): Promise<Result<RecordedCheck>> {
  return ask<RecordedCheck>("POST", `${ADDRESS}/${display}/checks`, { body: check });
}

export function retireDisplay(display: string): Promise<Result<void>> {
  return ask<void>("DELETE", `${ADDRESS}/${display}`);
}
