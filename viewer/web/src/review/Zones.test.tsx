// @vitest-environment happy-dom
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PixelZone } from "../api/types";
import { startWords } from "../i18n";
import { LeaveQuestion } from "../ui/LeaveQuestion";
import { Zones } from "./Zones";

function zone(more: Partial<PixelZone> = {}): PixelZone {
  return {
    site: "MK 01",
    name: "d1",
    origin: "drawn",
    manufacturer: "acme",
    model: "sono 5",
    kind: "",
    rows: 48,
    columns: 64,
    boxes: [[1, 2, 30, 40]],
    exams: 0,
    examsWanted: 0,
    inUse: true,
    by: "lan",
    at: "2026-11-22T08:00:00Z",
    usedAt: null,
    sample: null,
    ...more,
  };
}

const SAMPLE: PixelZone["sample"] = {
  site: "MK 01",
  studyInstanceUID: "2.25.1",
  sopInstanceUID: "2.25.3",
  profile: "tele-read",
  reason: "text-left",
  proposed: [],
  at: "2026-11-22T08:00:00Z",
  picture: { seriesInstanceUID: "2.25.2", modality: "US", rows: 48, columns: 64, numberOfFrames: 1 },
};
const SHEET = { kind: "frame", firstFrame: 1, lastFrame: 1, top: 0, rows: 48, columns: 64, deep: false, seen: false };

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

let asked: Asked[] = [];

/** The node has these zones, others once something was changed, and answers a change like this. */
function theNodeHas(before: readonly PixelZone[], after = before, status = 204): void {
  vi.stubGlobal("fetch", (path: string, init: { method: string; body?: string }) => {
    if (path.includes("/sheets")) return Promise.resolve(new Response(JSON.stringify([{ ...SHEET, number: 1 }])));
    if (init.method === "GET") return Promise.resolve(new Response(JSON.stringify(asked.length > 0 ? after : before)));
    asked.push({ method: init.method, path, body: init.body && JSON.parse(init.body) });
    return Promise.resolve(new Response(status === 204 ? null : "{}", { status }));
  });
}

async function open(named: RegExp): Promise<void> {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MantineProvider>
        <Zones onBack={() => undefined} />
        <LeaveQuestion />
      </MantineProvider>
    </QueryClientProvider>,
  );
  fireEvent.click(await screen.findByRole("button", { name: named }));
}

const masks = () =>
  screen.queryAllByRole("button", { name: /^Mask \d/ }).map((mask) => mask.getAttribute("aria-label"));

beforeEach(async () => {
  asked = [];
  await startWords("en");
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("each device says where its zones come from, and when they were used last", async () => {
  theNodeHas([
    zone({ usedAt: "2026-11-22T08:00:00Z" }),
    zone({ origin: "learnt", name: "l1", inUse: false, exams: 2, examsWanted: 5, by: "" }),
    zone({ origin: "file", name: "f1", at: null }),
    zone({ origin: "none", name: "n1", boxes: [], at: null, sample: SAMPLE }),
  ]);
  await open(/Drawn · 1 zone/);

  const rows = screen.getAllByRole("listitem").map((row) => row.textContent);
  expect(rows[0]).toContain("last used");
  expect(rows[1]).toContain("Learning: 2 of 5 exams");
  expect(rows[2]).toContain("From the configured file");
  expect(rows[3]).toContain("with a sample");
});

test("zones are drawn on an empty frame by keys alone, and saved for the device", async () => {
  theNodeHas([zone()], [zone({ boxes: [[1, 2, 30, 40], [23, 26, 27, 38]] })]); // biome-ignore format: two boxes
  await open(/Drawn/);
  expect(screen.getByRole("button", { name: "Save 1 zone for this device" }).hasAttribute("disabled")).toBe(true);

  fireEvent.keyDown(document.body, { key: "n" });
  fireEvent.keyDown(document.activeElement ?? document.body, { key: "ArrowDown" });
  fireEvent.click(screen.getByRole("button", { name: "Save 2 zones for this device" }));

  await screen.findByText("Saved. Later pictures of the device are masked there.");
  const boxes = [[1, 2, 30, 40], [23, 26, 27, 38]]; // biome-ignore format: two boxes
  const device = { site: "MK 01", manufacturer: "acme", model: "sono 5", rows: 48, columns: 64 };
  expect(asked).toEqual([{ method: "PUT", path: "/api/pixel-zones", body: { ...device, boxes } }]);
  expect(masks()).toHaveLength(2);
});

test("a device whose picture waits has it under its zones", async () => {
  theNodeHas([zone({ sample: SAMPLE })]);
  await open(/Drawn/);

  expect((await screen.findByRole("img")).getAttribute("src")).toContain("/api/pixel-reviews/2.25.3/sheets/1?");
  expect(masks()).toEqual(["Mask 1: 1, 2, 30, 40"]);
});

test("what was learnt is forgotten, once it is said twice, and can be kept as drawn", async () => {
  theNodeHas([zone({ origin: "learnt", name: "l1" })], []);
  await open(/Learnt/);
  expect(screen.getByRole("button", { name: "Save 1 zone for this device" }).hasAttribute("disabled")).toBe(false);

  fireEvent.click(screen.getByRole("button", { name: "Forget what was learnt" }));
  expect(asked).toEqual([]);
  fireEvent.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Forget what was learnt" }));

  await screen.findByText("Removed.");
  expect(asked).toEqual([{ method: "DELETE", path: "/api/pixel-zones/l1?site=MK+01&origin=learnt", body: undefined }]);
});

test("nobody leaves zones that they drew without being asked, and a refusal is told", async () => {
  theNodeHas([zone(), zone({ name: "d2", model: "sono 6" })], undefined, 403);
  await open(/sono 5/);
  fireEvent.keyDown(document.body, { key: "n" });

  fireEvent.click(screen.getByRole("button", { name: /sono 6/ }));
  await screen.findByRole("dialog", { name: "Zones are not saved" });
  fireEvent.click(screen.getByRole("button", { name: "Stay" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  fireEvent.click(screen.getByRole("button", { name: "Save 2 zones for this device" }));

  expect((await screen.findByRole("alert")).textContent).toContain("Nothing was saved");
  expect(masks()).toHaveLength(2);
});
