import { expect, test } from "vitest";
import { bound, chordOf, chordOfLabel, conflicts, labelOf, meant, type Press } from "./chords";

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
  for (const key of ["Shift+Delete", "Ctrl+s", "Shift+ArrowLeft"]) expect(chordOfLabel(labelOf(key))).toBe(key);
  expect(labelOf("Ctrl+ArrowUp")).toBe("Ctrl+↑");
  expect(chordOfLabel("Kéo trái")).toBeUndefined();
});

test("what was chosen works in place of the default, and wins where both are on one key", () => {
  const table = bound({ w: "window", p: "pan", z: "zoom" }, { w: "g", z: "p" });

  expect(table).toEqual({ g: "window", p: "zoom" });
  expect([...conflicts(["w", "p", "z"], { w: "g", z: "p" })]).toEqual(["p"]);
  expect([...conflicts(["w", "w", "p"], {})]).toEqual([]);
});

test("who listens to keys by itself hears the key that was meant", () => {
  const remap = { ArrowUp: "w", z: "p" };

  expect(["w", "p", "ArrowUp", "z", "x"].map((chord) => meant(chord, remap))).toEqual(["ArrowUp", "z", "", "", "x"]);
});
