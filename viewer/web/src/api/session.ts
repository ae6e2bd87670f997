// Signing in and out, and changing the password.

import { ask } from "./client";
import type { Result } from "./result";
import type { Session } from "./types";

/** The node refuses shorter ones. */
export const PASSWORD_LENGTH_MIN = 12;

export function signIn(name: string, password: string): Promise<Result<Session>> {
  return ask<Session>("POST", "/api/session", { body: { name, password } });
}

export function signOut(): Promise<Result<void>> {
  return ask<void>("DELETE", "/api/session");
}

export function changePassword(current: string, next: string): Promise<Result<Session>> {
  return ask<Session>("POST", "/api/session/password", { body: { current, new: next } });
}
