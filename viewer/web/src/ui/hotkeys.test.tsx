// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { useKeys } from "./hotkeys";

const done: string[] = [];
const table = Object.fromEntries(
  ["f", "r", "t", "w", "+", "0", "F8", "ArrowLeft", "Delete"].map((key) => [key, () => void done.push(key)]),
);

function Page() {
  useKeys(table);
  return (
    <>
      <input aria-label="words" />
      <input type="range" aria-label="slider" />
      <textarea aria-label="text" />
      <select aria-label="list" />
    </>
  );
}

afterEach(() => {
  cleanup();
  done.length = 0;
});

/** Whether the browser is left to do what it does with the key. */
function isTheBrowsers(target: Element, press: { key: string } & KeyboardEventInit): boolean {
  return fireEvent.keyDown(target, press);
}

test.each([
  { key: "f", ctrlKey: true },
  { key: "r", ctrlKey: true },
  { key: "t", ctrlKey: true },
  { key: "w", metaKey: true },
  { key: "+", ctrlKey: true },
  { key: "0", ctrlKey: true },
  { key: "ArrowLeft", altKey: true },
  { key: "f", altKey: true },
])("what is held with Ctrl, Alt or Meta stays the browser's: %o", (press) => {
  render(<Page />);

  expect(isTheBrowsers(document.body, press)).toBe(true);
  expect(done).toEqual([]);
});

test.each(["words", "text", "list"])("what is typed into a field stays there: %s", (name) => {
  render(<Page />);

  for (const key of ["f", "Delete", "ArrowLeft", "0"])
    expect(isTheBrowsers(screen.getByLabelText(name), { key })).toBe(true);
  expect(done).toEqual([]);
});

test("everything else is the page's, over a slider, too", () => {
  render(<Page />);

  expect(isTheBrowsers(document.body, { key: "f" })).toBe(false);
  expect(isTheBrowsers(screen.getByLabelText("slider"), { key: "F8" })).toBe(false);
  expect(done).toEqual(["f", "F8"]);
});
