// What a person likes, as the node keeps it with the account: a text of ours.

import { ask } from "./client";
import type { Result } from "./result";
import type { PreferencesItem } from "./types";

export function openPreferences(): Promise<Result<PreferencesItem>> {
  return ask<PreferencesItem>("GET", "/api/preferences");
}

export function keepPreferences(settings: string): Promise<Result<void>> {
  return ask<void>("PUT", "/api/preferences", { body: { settings } });
}
