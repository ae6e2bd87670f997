import { expect, test } from "vitest";
import type { LinkItem } from "../api/types";
import { linkState } from "./linkState";

const NOW = new Date("2026-11-22T10:00:00Z");
const LINK: LinkItem = {
  id: "1",
  madeBy: "ha",
  madeAt: "2026-11-22T09:00:00Z",
  expiresAt: "2026-11-22T11:00:00Z",
  failures: 0,
  openedAt: null,
  revokedAt: null,
};

test.each([
  ["waiting", {}],
  ["opened", { openedAt: "2026-11-22T09:30:00Z", failures: 4 }],
  ["dead", { failures: 5 }],
  ["ended", { expiresAt: "2026-11-22T10:00:00Z" }],
  ["revoked", { revokedAt: "2026-11-22T09:40:00Z", openedAt: "2026-11-22T09:30:00Z" }],
] as const)("a link is %s", (state, changes) => {
  expect(linkState({ ...LINK, ...changes }, NOW)).toBe(state);
});
