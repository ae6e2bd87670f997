import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { framesOf } from "../frames/frame";
import { addFrames, registerLoader } from "./loader";

type Load = (imageId: string) => { readonly promise: Promise<unknown> };
const cornerstone = vi.hoisted((): { load?: Load } => ({}));
vi.mock("@cornerstonejs/core", () => ({
  cache: {},
  imageLoader: { registerImageLoader: (_: string, load: Load) => Object.assign(cornerstone, { load }) },
  metaData: { addProvider: () => undefined },
}));
vi.mock("@cornerstonejs/dicom-image-loader", () => ({ createImage: async () => ({}) }));
vi.mock("./line", () => ({
  Line: class {
    isThin = true;
    note = () => undefined;
  },
}));

const JPEG = "1.2.840.10008.1.2.4.50";
const UNCOMPRESSED = "1.2.840.10008.1.2.1";

afterEach(() => vi.unstubAllGlobals());
beforeEach(() => {
  vi.stubGlobal("window", { addEventListener: () => undefined });
  registerLoader(true);
});

/** Load all frames of instances one after the other; the answer is what the node was asked for. */
async function asked(series: string, instances: number, changes: object, answer: (path: string) => Response) {
  const paths: string[] = [];
  vi.stubGlobal("fetch", async (url: string, { headers }: { readonly headers: { readonly Accept: string } }) => {
    const syntax = /transfer-syntax=(.*)/.exec(headers.Accept)?.[1] ?? "";
    paths.push(`${url.slice(url.indexOf("/instances/") + 11)} ${syntax}`.trim());
    return answer(paths.at(-1) ?? "");
  });
  const us = (value: number) => ({ vr: "US", Value: [value] });
  const frames = Array.from({ length: instances }, (_, index) =>
    framesOf(
      {
        "00080018": { vr: "UI", Value: [`${series}.${index + 1}`] },
        "00280010": us(128),
        "00280011": us(128),
        "00280100": us(8),
        "00280101": us(8),
        "00280002": us(1),
        "00280004": { vr: "CS", Value: ["MONOCHROME2"] },
        ...changes,
      },
      `/series/${series}`,
    ),
  ).flat();
  addFrames({}, frames);
  for (const { imageId } of frames) await cornerstone.load?.(imageId).promise;
  return paths;
}

const pixels = (syntax: string) =>
  new Response(new Uint8Array(128 * 128 * 3), {
    headers: { "Content-Type": `application/octet-stream; transfer-syntax=${syntax}` },
  });
const refusal = (status: number, code: string) =>
  new Response(JSON.stringify({ code }), { status, headers: { "Content-Type": "application/problem+json" } });

test.each([
  ["a damaged frame does not take the steps from the others", "2.25.1", refusal(400, "MalformedInstance"), 2],
  ["a series without steps is asked for them once", "2.25.2", refusal(406, "UnsupportedTransferSyntax"), 1],
])("%s", async (_, series, first, times) => {
  const paths = await asked(series, 2, {}, (path) =>
    path === `${series}.1/frames/1/tiers/0` ? first : pixels(UNCOMPRESSED),
  );

  expect(paths.filter((path) => path.endsWith("/tiers/0"))).toHaveLength(times);
  expect(paths[1]).toBe(`${series}.1/frames/1 *`);
});

test("frames of an instance whose first one the browser would misread are asked for decoded at once", async () => {
  const rgb = {
    "00280002": { vr: "US", Value: [3] },
    "00280004": { vr: "CS", Value: ["RGB"] },
    "00280008": { vr: "IS", Value: [3] },
  };

  const paths = await asked("2.25.3", 1, rgb, (path) => pixels(path.endsWith("*") ? JPEG : UNCOMPRESSED));

  expect(paths).toEqual([
    "2.25.3.1/frames/1 *",
    ...[1, 2, 3].map((frame) => `2.25.3.1/frames/${frame} ${UNCOMPRESSED}`),
  ]);
});
