// @vitest-environment happy-dom
import { expect, test } from "vitest";
import type { Mark } from "../../engine/slides/marks";
import { leaveMarks, takeMarks } from "./leftMarks";

function mark(uid: string, text = ""): Mark {
  return { uid, kind: "point", points: [{ x: 1, y: 2 }], text };
}

/** Whether the browser would ask before it closes the tab. */
function asks(): boolean {
  return !window.dispatchEvent(new Event("beforeunload", { cancelable: true }));
}

test("marks that were left wait for their slide and their person, and the browser asks meanwhile", () => {
  expect(asks()).toBe(false);

  leaveMarks("lan 1", [mark("a")]);

  expect(asks()).toBe(true);
  expect(takeMarks("hoa 1")).toEqual([]);
  expect(takeMarks("lan 1")).toEqual([mark("a")]);
  expect(takeMarks("lan 1")).toEqual([]);
  expect(asks()).toBe(false);
});
