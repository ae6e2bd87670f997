// How a link stands. Pure.

import type { LinkItem } from "../api/types";

/** The node ends a link after so many wrong codes. */
const TRIES_MAX = 5;

export function linkState(link: LinkItem, now: Date): "waiting" | "opened" | "ended" | "revoked" | "dead" {
  if (link.revokedAt) return "revoked";
  if (new Date(link.expiresAt) <= now) return "ended";
  if (link.openedAt) return "opened";
  return link.failures >= TRIES_MAX ? "dead" : "waiting";
}
