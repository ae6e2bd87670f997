import { QueryClient } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { askAhead } from "./opening";
import { seriesQuery } from "./queries";

const STUDY = { studyInstanceUid: "1.2", site: undefined };
let asked: string[] = [];

/** A node whose study has these series. */
function aNode(series: readonly object[], status = 200): void {
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    return Promise.resolve(Response.json(url.endsWith("/series") ? series : [{}], { status }));
  });
}

afterEach(() => {
  asked = [];
  vi.unstubAllGlobals();
});

test("a study, its series and the metadata of the first are asked for at once, and not again by the page", async () => {
  aNode([
    { seriesInstanceUID: "1.2.1", modality: "CT", instances: 3 },
    { seriesInstanceUID: "1.2.2", modality: "CT", instances: 1 },
  ]);
  const questions = new QueryClient();

  await askAhead(questions, STUDY);
  await questions.fetchQuery(seriesQuery(STUDY));

  expect(asked).toEqual([
    "/api/studies/1.2",
    "/api/studies/1.2/series",
    "/dicom-web/studies/1.2/series/1.2.1/metadata",
  ]);
});

test("slides have descriptions of their own: no metadata are asked for", async () => {
  aNode([
    { seriesInstanceUID: "1.2.1", modality: "CT", instances: 3 },
    { seriesInstanceUID: "1.2.2", modality: "SM", instances: 4 },
  ]);

  await askAhead(new QueryClient(), STUDY);

  expect(asked).toEqual(["/api/studies/1.2", "/api/studies/1.2/series"]);
});

test("what fails is left to the page", async () => {
  aNode([], 403);

  await askAhead(new QueryClient({ defaultOptions: { queries: { retryDelay: 0 } } }), STUDY);

  expect(new Set(asked)).toEqual(new Set(["/api/studies/1.2", "/api/studies/1.2/series"]));
});
