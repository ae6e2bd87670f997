// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Series } from "../api/types";
import { startWords } from "../i18n";
import { SeriesStrip } from "./SeriesStrip";

const SERIES = { seriesInstanceUID: "1.2", modality: "CT", description: "Brain", number: 1, instances: 3 } as Series;
const STACKS = { stacks: [], stackId: undefined, onStack: () => undefined };

function theStrip(): void {
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { enabled: false } } })}>
      <SeriesStrip
        study={{ studyInstanceUid: "1", site: undefined }}
        series={[SERIES]}
        chosen={undefined}
        onChoose={() => undefined}
        {...STACKS}
      />
    </QueryClientProvider>,
  );
}
const picture = () => document.querySelector("img");
const reason = () => screen.queryByRole("img", { name: /thumbnail/i })?.getAttribute("aria-label");

/** The picture fails, and the node, asked why, answers so; then time passes. */
async function fails(why: () => Promise<Response>): Promise<void> {
  vi.stubGlobal("fetch", vi.fn(why));
  const shown = picture();
  if (shown) fireEvent.error(shown);
  await act(() => vi.advanceTimersByTimeAsync(100));
}
const passing = () => act(() => vi.advanceTimersByTimeAsync(60_000));

beforeEach(async () => {
  await startWords("en");
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a small picture that a broken line or a busy node kept back says so and is asked for again by itself", async () => {
  theStrip();
  for (const why of [() => Promise.reject(new TypeError("no line")), async () => new Response(null, { status: 503 })]) {
    await fails(why);
    expect(picture()).toBeNull();
    expect(reason()).toContain("the line is broken");

    await passing();
    expect(picture()).not.toBeNull();
  }
});

test("one that cannot be made is not asked for again", async () => {
  theStrip();

  await fails(async () => new Response(null, { status: 415 }));
  await passing();

  expect(picture()).toBeNull();
  expect(reason()).toContain("could not be decoded");
});
