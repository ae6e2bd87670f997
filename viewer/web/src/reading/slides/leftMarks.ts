// Marks whose slide went before they were saved, because its person did or the session ended: they wait in this tab for
// the slide to be opened again.

import type { Mark } from "../../engine/slides/marks";
import { holdTab } from "../../ui/unload";

const left = new Map<string, readonly Mark[]>();

/** `key` names slide and person. */
export function leaveMarks(key: string, marks: readonly Mark[]): void {
  left.set(key, marks);
  holdTab("left marks", true);
}

/** What was left; it does not wait any more. */
export function takeMarks(key: string): readonly Mark[] {
  const marks = left.get(key) ?? [];
  left.delete(key);
  holdTab("left marks", left.size > 0);
  return marks;
}
