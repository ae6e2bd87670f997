// @vitest-environment happy-dom
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PixelReview } from "../api/types";
import { startWords } from "../i18n";
import { Review } from "./Review";

function review(uid: string, more: Partial<PixelReview> = {}): PixelReview {
  return {
    site: "MK 01",
    studyInstanceUID: "2.25.1",
    sopInstanceUID: uid,
    profile: "tele-read",
    reason: "text-left",
    proposed: [[1, 2, 30, 40]],
    at: "2026-11-22T08:00:00Z",
    picture: { seriesInstanceUID: "2.25.2", modality: "US", rows: 48, columns: 64, numberOfFrames: 5 },
    ...more,
  };
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

let asked: Asked[] = [];

/** The node has these that wait, and answers a decision like this. */
function theNodeHas(waiting: readonly PixelReview[], decision: { status: number; body: unknown }): void {
  vi.stubGlobal("fetch", (path: string, init: { method: string; body?: string }) => {
    if (init.method === "GET") return Promise.resolve(new Response(JSON.stringify(waiting)));
    asked.push({ method: init.method, path, body: init.body && JSON.parse(init.body) });
    return Promise.resolve(new Response(JSON.stringify(decision.body), { status: decision.status }));
  });
}

async function openFirst(): Promise<void> {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MantineProvider>
        <Review onBack={() => undefined} helpOpened={false} onHelp={() => undefined} />
      </MantineProvider>
    </QueryClientProvider>,
  );
  const [first] = await screen.findAllByRole("button", { name: /US/ });
  if (first) fireEvent.click(first);
  for (const picture of screen.queryAllByRole("img")) fireEvent.load(picture);
}

const ONE = { status: 200, body: { destinations: 1 } };
const masks = () => screen.queryAllByRole("button", { name: /^Mask \d/ });

beforeEach(async () => {
  asked = [];
  await startWords("en");
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("an instance is shown as received, without loss, with what is proposed over it", async () => {
  theNodeHas([review("2.25.3")], ONE);
  await openFirst();

  expect(screen.getByRole("img").getAttribute("src")).toBe(
    "/sites/MK%2001/dicom-web/studies/2.25.1/series/2.25.2/instances/2.25.3/frames/1/rendered?accept=image%2Fpng",
  );
  expect(masks().map((mask) => mask.getAttribute("aria-label"))).toEqual(["Mask 1: 1, 2, 30, 40"]);
});

test("the slider and the keys go through a cine", async () => {
  theNodeHas([review("2.25.3")], ONE);
  await openFirst();

  fireEvent.keyDown(document.body, { key: "PageDown" });
  expect(screen.getByRole("img").getAttribute("src")).toContain("/frames/2/");
  fireEvent.change(screen.getByRole("slider"), { target: { value: "5" } });
  fireEvent.keyDown(document.body, { key: "PageDown" });
  expect(screen.getByRole("img").getAttribute("src")).toContain("/frames/5/");
});

test("a mask is added, moved, sized and removed by keys alone, and what is left is sent", async () => {
  theNodeHas([review("2.25.3", { proposed: [] })], ONE);
  await openFirst();

  fireEvent.keyDown(document.body, { key: "n" });
  fireEvent.keyDown(document.activeElement ?? document.body, { key: "ArrowDown" });
  fireEvent.keyDown(document.activeElement ?? document.body, { key: "ArrowRight", shiftKey: true });
  fireEvent.keyDown(document.body, { key: "n" });
  fireEvent.keyDown(document.activeElement ?? document.body, { key: "Delete" });

  expect(masks().map((mask) => mask.getAttribute("aria-label"))).toEqual(["Mask 1: 23, 26, 27, 39"]);
  fireEvent.click(screen.getByRole("button", { name: "Send with 1 mask" }));
  await screen.findByText("Accepted: it is made anew and goes to 1 destination.");
  expect(asked).toEqual([
    {
      method: "POST",
      path: "/api/pixel-reviews/2.25.3/acceptance",
      body: { masks: [[23, 26, 27, 39]], site: "MK 01", profile: "tele-read" },
    },
  ]);
});

test("an edge that is typed is the mask's", async () => {
  theNodeHas([review("2.25.3")], ONE);
  await openFirst();

  const bottom = screen.getByRole("spinbutton", { name: "Mask 1, bottom" });
  fireEvent.change(bottom, { target: { value: "999" } });
  fireEvent.blur(bottom);

  expect(masks()[0]?.getAttribute("aria-label")).toBe("Mask 1: 1, 2, 48, 40");
});

test("nothing is sent without masks, nor rejected, unless it is said twice", async () => {
  theNodeHas([review("2.25.3", { proposed: [] })], ONE);
  await openFirst();

  fireEvent.click(screen.getByRole("button", { name: "Send without masks" }));
  fireEvent.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Cancel" }));
  fireEvent.click(screen.getByRole("button", { name: "Never send" }));
  await screen.findByText("It stays at this site for good. This cannot be undone.");
  expect(asked).toEqual([]);

  fireEvent.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Never send" }));
  await screen.findByText("Rejected: it is kept from 1 destination.");
  expect(asked.map((one) => one.path)).toEqual(["/api/pixel-reviews/2.25.3/rejection?site=MK+01&profile=tele-read"]);
});

test("a decision leads to the next that waits", async () => {
  theNodeHas([review("2.25.3"), review("2.25.4", { reason: "install tesseract" })], ONE);
  await openFirst();

  fireEvent.click(screen.getByRole("button", { name: "Send with 1 mask" }));

  await waitFor(() => expect(screen.getByRole("img").getAttribute("src")).toContain("/instances/2.25.4/"));
  expect(screen.getByRole("heading", { level: 2 }).textContent).toBe("US · No program that finds text is installed");
});

test.each([
  [404, "Somebody else has decided about this instance."],
  [500, "Nothing was decided: The server failed. Try again in a few minutes."],
])("a refusal %i is told", async (status, text) => {
  theNodeHas([review("2.25.3")], { status, body: {} });
  await openFirst();

  fireEvent.click(screen.getByRole("button", { name: "Send with 1 mask" }));

  expect((await screen.findByRole("alert")).textContent).toBe(text);
});

test("what was not seen can be kept, but not sent", async () => {
  theNodeHas([review("2.25.3"), review("2.25.4")], ONE);
  await openFirst();
  fireEvent.keyDown(document.body, { key: "j" });

  fireEvent.error(screen.getByRole("img"));

  expect(screen.getByRole("alert").textContent).toContain("What was not seen is not sent from here.");
  expect(screen.getByRole("button", { name: "Send with 1 mask" }).hasAttribute("disabled")).toBe(true);
  expect(screen.getByRole("button", { name: "Never send" }).hasAttribute("disabled")).toBe(false);
});

test("a document is opened beside, and has no masks", async () => {
  const picture = { seriesInstanceUID: "2.25.2", modality: "US", rows: 0, columns: 0, numberOfFrames: 1 };
  theNodeHas([review("2.25.3", { picture, reason: "encapsulated-document" })], ONE);
  await openFirst();

  expect(screen.getByRole("link").getAttribute("href")).toMatch(/\/instances\/2\.25\.3\/rendered$/);
  expect(masks()).toEqual([]);
  expect(screen.getByRole("button", { name: "Send what is left" })).toBeTruthy();
});
