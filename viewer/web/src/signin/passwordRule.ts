// What may be sent as a new password: checked here for a quick answer, by the node for good.

import { PASSWORD_LENGTH_MIN } from "../api/session";

/** Why not, as a key of the language files (signin:change.*). */
export type PasswordFault = "tooShort" | "same" | "different";

export function passwordFault(current: string, next: string, again: string): PasswordFault | undefined {
  if ([...next].length < PASSWORD_LENGTH_MIN) return "tooShort";
  if (next === current) return "same";
  return next === again ? undefined : "different";
}
