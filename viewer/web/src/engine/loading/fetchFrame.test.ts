import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fetchFrame, fetchTier, fetchValue } from "./fetchFrame";

const FRAME =
  "--b\r\nContent-Type: application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.80\r\n\r\nxyz\r\n--b--";

let server: Server;
let url: string;
let statuses: number[];
let asked: number;
let waits: number[];
let paths: string[];
let ranges: (string | undefined)[];
const never = new AbortController().signal;

function wait(ms: number): Promise<void> {
  waits.push(ms);
  return Promise.resolve();
}

beforeEach(async () => {
  asked = 0;
  waits = [];
  paths = [];
  ranges = [];
  server = createServer((request, response) => {
    const status = statuses[Math.min(asked, statuses.length - 1)] ?? 200;
    asked += 1;
    paths.push(request.url ?? "");
    ranges.push(request.headers.range);
    if (status === 0) request.destroy();
    else
      response.writeHead(status, { "Content-Type": "multipart/related; boundary=b" }).end(status === 200 ? FRAME : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/frames/1`;
});

afterEach(() => new Promise((resolve) => server.close(resolve)));

describe("a frame", () => {
  test("comes with its transfer syntax", async () => {
    statuses = [200];

    const part = await fetchFrame(url, { signal: never, wait });

    expect(new TextDecoder().decode(part.bytes)).toBe("xyz");
    expect(part.transferSyntaxUid).toBe("1.2.840.10008.1.2.4.80");
  });

  test("is asked for again when the line broke or the server failed, waiting longer each time", async () => {
    statuses = [0, 503, 200];

    await fetchFrame(url, { signal: never, wait });

    expect(asked).toBe(3);
    expect(waits).toEqual([500, 1500]);
  });

  test("is given up after the last wait", async () => {
    statuses = [0];

    await expect(fetchFrame(url, { signal: never, wait })).rejects.toMatchObject({ kind: "unreachable" });
    expect(asked).toBe(4);
  });

  test.each([
    [401, "signedOut"],
    [403, "denied"],
    [404, "missing"],
    [406, "unreadable"],
  ])("that is refused with %i is not asked for again", async (status, kind) => {
    statuses = [status];

    await expect(fetchFrame(url, { signal: never, wait })).rejects.toMatchObject({ kind });
    expect(asked).toBe(1);
  });

  test("that nobody wants any more is not asked for again", async () => {
    statuses = [0];
    const controller = new AbortController();
    const leave = (ms: number) => {
      controller.abort();
      return wait(ms);
    };

    await expect(fetchFrame(url, { signal: controller.signal, wait: leave })).rejects.toBeDefined();
    expect(asked).toBe(1);
  });

  test("in steps comes from an address of its own", async () => {
    statuses = [200];

    const bytes = await fetchTier(url, 1, { signal: never, wait });

    expect(new TextDecoder().decode(bytes)).toBe(FRAME);
    expect(paths).toEqual(["/frames/1/tiers/1"]);
  });

  test("that has no steps says so once", async () => {
    statuses = [406];

    await expect(fetchTier(url, 0, { signal: never, wait })).rejects.toMatchObject({ kind: "unreadable" });
    expect(asked).toBe(1);
  });
});

test("a value that the metadata only name is asked for no further than it may be long, and cut where more comes", async () => {
  statuses = [200];

  const bytes = await fetchValue(url, 4, { signal: never, wait });

  expect(ranges).toEqual(["bytes=0-3"]);
  expect(new TextDecoder().decode(bytes)).toBe(FRAME.slice(0, 4));
});
