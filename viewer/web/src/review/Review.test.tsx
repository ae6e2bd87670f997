// @vitest-environment happy-dom
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PixelReview, ReviewSheet } from "../api/types";
import { startWords } from "../i18n";
import { LeaveQuestion } from "../ui/LeaveQuestion";
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

function sheet(number: number, kind: ReviewSheet["kind"], more: Partial<ReviewSheet> = {}): ReviewSheet {
  return {
    number,
    kind,
    firstFrame: 1,
    lastFrame: 5,
    top: 0,
    rows: 48,
    columns: 64,
    deep: false,
    seen: false,
    ...more,
  };
}

const CINE = [sheet(1, "brightest"), sheet(2, "darkest")];

/** The node has these that wait, wants these pictures to be looked at, and answers a decision like this. */
function theNodeHas(
  waiting: readonly PixelReview[],
  decision: { status: number; body: unknown },
  sheets: readonly ReviewSheet[] | undefined = [sheet(1, "frame", { lastFrame: 1 })],
): void {
  vi.stubGlobal("fetch", (path: string, init: { method: string; body?: string }) => {
    if (path.includes("/sheets")) return Promise.resolve(new Response(JSON.stringify(sheets)));
    if (init.method === "GET") return Promise.resolve(new Response(JSON.stringify(waiting)));
    asked.push({ method: init.method, path, body: init.body && JSON.parse(init.body) });
    return Promise.resolve(new Response(JSON.stringify(decision.body), { status: decision.status }));
  });
}

async function list(named = /US/): Promise<void> {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MantineProvider>
        <Review onBack={() => undefined} onZones={() => undefined} helpOpened={false} onHelp={() => undefined} />
        <LeaveQuestion />
      </MantineProvider>
    </QueryClientProvider>,
  );
  const [first] = await screen.findAllByRole("button", { name: named });
  if (first) fireEvent.click(first);
}

async function openFirst(): Promise<void> {
  await list();
  fireEvent.load(await screen.findByRole("img"));
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

test("what must be looked at is shown first, with what is proposed over it", async () => {
  theNodeHas([review("2.25.3")], ONE);
  await openFirst();

  expect(screen.getByRole("img").getAttribute("src")).toBe(
    "/api/pixel-reviews/2.25.3/sheets/1?site=MK+01&profile=tele-read",
  );
  expect(masks().map((mask) => mask.getAttribute("aria-label"))).toEqual(["Mask 1: 1, 2, 30, 40"]);
});

test("the slider and the keys go through what must be seen and then every frame as received, without loss", async () => {
  theNodeHas([review("2.25.3")], ONE, CINE);
  await openFirst();
  const shown = () => screen.getByRole("img").getAttribute("src");
  const slider = screen.getByRole("slider", { name: "Shown" });

  expect(slider.getAttribute("aria-valuetext")).toBe("Brightest of frames 1 to 5");
  fireEvent.keyDown(document.body, { key: "PageDown" });
  expect(shown()).toContain("/sheets/2?");
  fireEvent.change(slider, { target: { value: "4" } });
  expect(shown()).toBe(
    "/sites/MK%2001/dicom-web/studies/2.25.1/series/2.25.2/instances/2.25.3/frames/2/rendered?accept=image%2Fpng",
  );
  fireEvent.change(slider, { target: { value: "7" } });
  fireEvent.keyDown(document.body, { key: "PageDown" });
  expect(shown()).toContain("/frames/5/");
});

test("a cine is not sent before all of its scenes were seen", async () => {
  theNodeHas([review("2.25.3")], ONE, [...CINE, sheet(3, "frame", { firstFrame: 4, lastFrame: 4, seen: true })]);
  await openFirst();
  const send = screen.getByRole("button", { name: "Send with 1 mask" });

  expect(send.hasAttribute("disabled")).toBe(true);
  expect(screen.getByText("Before it is sent, look at 1 more picture.")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Show the one that is left" }));
  fireEvent.load(screen.getByRole("img"));

  expect(send.hasAttribute("disabled")).toBe(false);
  expect(screen.queryByText(/^Before it is sent/)).toBeNull();
});

test("the window is set by sliders and by keys, and goes back", async () => {
  theNodeHas([review("2.25.3")], ONE);
  await openFirst();
  const [level, width] = [screen.getByRole("slider", { name: "Level" }), screen.getByRole("slider", { name: "Width" })];
  const values = () => [level, width].map((one) => (one as HTMLInputElement).value);

  fireEvent.change(level, { target: { value: "30" } });
  fireEvent.keyDown(document.body, { key: "]" });
  expect(values()).toEqual(["30", "96"]);
  expect(document.querySelector("feFuncG")?.getAttribute("slope")).toBe(String(100 / 96));
  fireEvent.keyDown(document.body, { key: "0" });
  expect(values()).toEqual(["50", "100"]);
  fireEvent.keyDown(document.body, { key: "b" });
  expect(values()).toEqual(["14", "28"]);
});

test("a frame of many bits is asked of the node with the window", async () => {
  theNodeHas([review("2.25.3")], ONE, [sheet(1, "frame", { lastFrame: 1, deep: true })]);
  await openFirst();

  fireEvent.keyDown(document.body, { key: "b" });

  await waitFor(() => expect(screen.getByRole("img").getAttribute("src")).toContain("&low=0&high=0.28"));
  expect(document.querySelector("[data-window]")?.getAttribute("data-window")).toBe("false");
});

test("a corner of the chosen mask is drawn, or moved by keys", async () => {
  theNodeHas([review("2.25.3", { proposed: [[10, 10, 30, 40]] })], ONE);
  await openFirst();
  const [mask] = masks();
  if (mask) fireEvent.focus(mask);
  const corner = document.querySelector("[data-corner='0']");
  expect(document.querySelectorAll("[data-corner]")).toHaveLength(4);

  if (mask) fireEvent.keyDown(mask, { key: "ArrowDown", ctrlKey: true });
  expect(masks()[0]?.getAttribute("aria-label")).toBe("Mask 1: 11, 10, 30, 40");
  expect(corner?.getAttribute("data-mask")).toBe("0");
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

test("nobody leaves masks that they drew without being asked", async () => {
  theNodeHas([review("2.25.3"), review("2.25.4")], ONE);
  await openFirst();
  const shown = () => screen.getByRole("img").getAttribute("src");
  fireEvent.keyDown(document.body, { key: "n" });

  fireEvent.keyDown(document.body, { key: "j" });
  const question = await screen.findByRole("dialog", { name: "Masks are not sent" });
  expect(within(question).queryByRole("button", { name: /^Save/ })).toBeNull();
  fireEvent.click(within(question).getByRole("button", { name: "Stay" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(shown()).toContain("/2.25.3/");
  expect(masks()).toHaveLength(2);
  expect(window.dispatchEvent(new Event("beforeunload", { cancelable: true }))).toBe(false);

  fireEvent.keyDown(document.body, { key: "k" });
  fireEvent.click(await screen.findByRole("button", { name: "Leave without the masks" }));
  await waitFor(() => expect(shown()).toContain("/2.25.4/"));
  fireEvent.keyDown(document.body, { key: "j" });
  await waitFor(() => expect(shown()).toContain("/2.25.3/"));
  expect(masks()).toHaveLength(1);
  expect(window.dispatchEvent(new Event("beforeunload", { cancelable: true }))).toBe(true);
});

test("a decision leads to the next that waits", async () => {
  theNodeHas([review("2.25.3"), review("2.25.4", { reason: "install tesseract" })], ONE);
  await openFirst();

  fireEvent.click(screen.getByRole("button", { name: "Send with 1 mask" }));

  await waitFor(() => expect(screen.getByRole("img").getAttribute("src")).toContain("/2.25.4/sheets/1"));
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

  fireEvent.error(await screen.findByRole("img"));

  expect(screen.getByRole("alert").textContent).toContain("What was not seen is not sent from here.");
  expect(screen.getByRole("button", { name: "Send with 1 mask" }).hasAttribute("disabled")).toBe(true);
  expect(screen.getByRole("button", { name: "Never send" }).hasAttribute("disabled")).toBe(false);
});

test("the pages of a PDF are masked like pictures, and without masks it goes without its document", async () => {
  const picture = { seriesInstanceUID: "2.25.2", modality: "DOC", rows: 0, columns: 0, numberOfFrames: 1 };
  const pages = [
    sheet(1, "page", { lastFrame: 1, seen: true }),
    sheet(2, "page", { firstFrame: 2, lastFrame: 2, top: 48, seen: true }),
  ];
  theNodeHas([review("2.25.3", { picture, reason: "pdf-text-left", proposed: [[50, 2, 60, 30]] })], ONE, pages);
  await list(/DOC/);
  fireEvent.load(await screen.findByRole("img"));

  fireEvent.keyDown(document.body, { key: "PageDown" });
  expect(screen.getByRole("img").getAttribute("alt")).toBe("Page 2 as received, DOC");
  expect(screen.getByRole("group", { name: "Page 2, with masks" }).getAttribute("viewBox")).toBe("0 48 64 48");
  fireEvent.keyDown(document.body, { key: "n" });
  expect(masks().map((mask) => mask.getAttribute("aria-label"))).toEqual([
    "Mask 1: 50, 2, 60, 30",
    "Mask 2: 70, 26, 74, 38",
  ]);
  expect(screen.getByRole("button", { name: "Send with 2 masks" }).hasAttribute("disabled")).toBe(false);
  for (const name of ["Remove mask 2", "Remove mask 1"]) fireEvent.click(screen.getByRole("button", { name }));
  fireEvent.click(screen.getByRole("button", { name: "Send what is left" }));
  await screen.findByText("Nothing is masked, so a PDF goes without its document. Nobody looks again.");
});

test("a document is opened beside, and has no masks", async () => {
  const picture = { seriesInstanceUID: "2.25.2", modality: "US", rows: 0, columns: 0, numberOfFrames: 1 };
  theNodeHas([review("2.25.3", { picture, reason: "encapsulated-document" })], ONE, []);
  await list();

  expect((await screen.findByRole("link")).getAttribute("href")).toMatch(/\/instances\/2\.25\.3\/rendered$/);
  expect(masks()).toEqual([]);
  await waitFor(() =>
    expect(screen.getByRole("button", { name: "Send what is left" }).hasAttribute("disabled")).toBe(false),
  );
});
