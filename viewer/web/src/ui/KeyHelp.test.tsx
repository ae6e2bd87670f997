// @vitest-environment happy-dom
import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, test } from "vitest";
import { startWords } from "../i18n";
import { KeyHelp } from "./KeyHelp";
import { KeyScope } from "./keyScope";
import { usePreferences } from "./preferences";

function Page() {
  const [opened, setOpened] = useState(true);
  return (
    <MantineProvider>
      <button type="button" onClick={() => setOpened(true)}>
        keys
      </button>
      <KeyScope value="worklist">
        <KeyHelp opened={opened} onClose={() => setOpened(false)} />
      </KeyScope>
    </MantineProvider>
  );
}

afterEach(cleanup);

test("a key that was asked for when the table was closed is not asked for when it is opened again", async () => {
  await startWords("en");
  render(<Page />);
  fireEvent.click(await screen.findByRole("button", { name: /^Go to the search box/ }));
  expect(screen.getByText("Press the new key…")).toBeTruthy();

  fireEvent.click(screen.getByRole("button", { name: "Close" }));
  fireEvent.click(screen.getByText("keys"));
  await screen.findByRole("dialog");

  expect(screen.queryByText("Press the new key…")).toBeNull();
  fireEvent.keyDown(window, { key: "x", code: "KeyX" });
  expect(usePreferences.getState().keys).toEqual({});
});
