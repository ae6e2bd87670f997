import { expect, test } from "vitest";
import { bound, chordOf, chordOfLabel, conflicts, labelOf, type Press, rangeOf } from "./chords";

const NOTHING_HELD = { shiftKey: false, ctrlKey: false, altKey: false, metaKey: false };
const press = (key: string, held: Partial<Press> = {}): string => chordOf({ key, code: "", ...NOTHING_HELD, ...held });

test("a press is its key and what is held, Shift only where it changes no letter", () => {
  expect(press("w")).toBe("w");
  expect(press("W", { shiftKey: true })).toBe("W");
  expect(press("?", { shiftKey: true })).toBe("?");
  expect(press("ArrowUp", { shiftKey: true })).toBe("Shift+ArrowUp");
  expect(press("k", { ctrlKey: true, altKey: true })).toBe("Ctrl+Alt+k");
});

test("a Vietnamese input method hides no letter", () => {
  expect(press("ư", { code: "KeyW" })).toBe("w");
  expect(press("Process", { code: "KeyW", shiftKey: true })).toBe("W");
  expect(press("Process", { code: "Digit1" })).toBe("Process");
});

test("labels of the tables lead to keys and back", () => {
  for (const key of ["w", "D", "ArrowUp", "Delete", "-", "[", "?", "F9"]) expect(chordOfLabel(labelOf(key))).toBe(key);
  expect(chordOfLabel("Shift+R")).toBe("R");
  expect(labelOf("Ctrl+ArrowUp")).toBe("Ctrl+↑");
  expect([chordOfLabel("0–9"), chordOfLabel("Kéo trái")]).toEqual([undefined, undefined]);
  expect(rangeOf("1–3")).toEqual(["1", "2", "3"]);
  expect(rangeOf("W")).toEqual([]);
});

test("what was chosen works in place of the default, and wins where both are on one key", () => {
  const table = bound({ w: "window", p: "pan", z: "zoom" }, { w: "g", z: "p" });

  expect(table).toEqual({ g: "window", p: "zoom" });
  expect([...conflicts(["w", "p", "z"], { w: "g", z: "p" })]).toEqual(["p"]);
  expect([...conflicts(["w", "w", "p"], {})]).toEqual([]);
});
