// @vitest-environment happy-dom
// The browser's Back and the room's own ways, while something is drawn that is not saved.

import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hold, stay, useLeaving } from "../ui/leaving";
import { goTo, useRoute } from "./route";

const STUDY = { screen: "reading", studyInstanceUid: "2.25.1", site: undefined } as const;

/** The browser goes to an address of the room's past. */
function goBackTo(address: string): void {
  history.replaceState(null, "", address);
  act(() => void window.dispatchEvent(new PopStateEvent("popstate")));
}

beforeEach(() => history.replaceState(null, "", "/study/2.25.1"));
afterEach(() => {
  hold("marks", undefined);
  stay();
});

test("the browser's Back shows the screen that was before", () => {
  const { result } = renderHook(useRoute);

  goBackTo("/worklist");

  expect(result.current).toEqual({ screen: "worklist" });
});

test("Back stays where marks are not saved until somebody says what becomes of them", () => {
  const { result } = renderHook(useRoute);
  hold("marks", { what: "marks", save: undefined, drop: () => undefined });

  goBackTo("/worklist");

  expect([result.current, location.pathname]).toEqual([STUDY, "/study/2.25.1"]);
  act(() => useLeaving.getState().question?.go());
  expect([result.current, location.pathname]).toEqual([{ screen: "worklist" }, "/worklist"]);
});

test("so do the room's own ways", () => {
  const { result } = renderHook(useRoute);
  hold("marks", { what: "marks", save: undefined, drop: () => undefined });

  act(() => goTo({ screen: "upload" }));

  expect([result.current, location.pathname]).toEqual([STUDY, "/study/2.25.1"]);
  act(() => useLeaving.getState().question?.go());
  expect(result.current).toEqual({ screen: "upload" });
});
