import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fetchTile } from "./fetchTile";

let server: Server;
let url: string;
let answer: (response: ServerResponse) => void;
const BITMAP = {} as ImageBitmap;
const decoded: ImageBitmapOptions[] = [];

async function decode(_: Blob, options: ImageBitmapOptions): Promise<ImageBitmap> {
  decoded.push(options);
  return BITMAP;
}

beforeEach(async () => {
  decoded.length = 0;
  server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/t`;
});

afterEach(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

describe("a tile", () => {
  test.each([
    [true, "default"],
    [false, "none"],
  ] as const)("is decoded with its profile: %s", async (managed, conversion) => {
    answer = (response) => response.writeHead(200, { "Content-Type": "image/jpeg" }).end("tile");

    const found = await fetchTile(url, managed, new AbortController().signal, decode);

    expect(found).toEqual({ kind: "tile", bitmap: BITMAP });
    expect(decoded).toEqual([{ colorSpaceConversion: conversion }]);
  });

  test.each([
    [401, "signedOut"],
    [403, "denied"],
    [404, "gone"],
    [410, "gone"],
    [500, "unreachable"],
  ])("refused with %i is %s", async (status, problem) => {
    answer = (response) => response.writeHead(status).end();

    expect(await fetchTile(url, true, new AbortController().signal, decode)).toEqual({
      kind: "problem",
      problem,
      waitMs: undefined,
    });
  });

  test("of a busy server says how long to wait", async () => {
    answer = (response) => response.writeHead(503, { "Retry-After": "2" }).end();

    expect(await fetchTile(url, true, new AbortController().signal, decode)).toEqual({
      kind: "problem",
      problem: "busy",
      waitMs: 2000,
    });
  });

  test("that is no picture is unreadable", async () => {
    answer = (response) => response.writeHead(200).end("tile");
    const refuse = () => Promise.reject(new Error("no picture"));

    expect(await fetchTile(url, true, new AbortController().signal, refuse)).toMatchObject({ problem: "unreadable" });
  });

  test("on a broken line is unreachable", async () => {
    answer = (response) => response.destroy();

    expect(await fetchTile(url, true, new AbortController().signal, decode)).toMatchObject({ problem: "unreachable" });
  });

  test("that nobody waits for is abandoned, and its request with it", async () => {
    const asked = new Promise<ServerResponse>((resolve) => {
      answer = resolve;
    });
    const control = new AbortController();
    const found = fetchTile(url, true, control.signal, decode);
    const response = await asked;
    const closed = new Promise((resolve) => response.on("close", resolve));

    control.abort();

    expect(await found).toEqual({ kind: "abandoned" });
    await closed;
  });
});
