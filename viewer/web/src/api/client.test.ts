import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ask, forgetAnswers, setCsrf } from "./client";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let url: string;
let answer: Answer;
let asked: IncomingMessage[];

beforeEach(async () => {
  asked = [];
  forgetAnswers();
  setCsrf("");
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
});

afterEach(() => new Promise((resolve) => server.close(resolve)));

function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
  };
}

describe("a question", () => {
  test("has its answer as a value", async () => {
    answer = json(200, { more: false });

    expect(await ask("GET", url)).toEqual({ ok: true, value: { more: false } });
  });

  test("asked again costs nothing when nothing has changed", async () => {
    answer = (request, response) => {
      if (request.headers["if-none-match"] === '"a"') response.writeHead(304).end();
      else json(200, { more: true }, { ETag: '"a"' })(request, response);
    };

    const first = await ask("GET", url);
    const second = await ask("GET", url);

    expect(asked[1]?.headers["if-none-match"]).toBe('"a"');
    expect(second).toEqual(first);
  });

  test("is asked anew by the next person", async () => {
    answer = json(200, {}, { ETag: '"a"' });
    await ask("GET", url);

    forgetAnswers();
    await ask("GET", url);

    expect(asked[1]?.headers["if-none-match"]).toBeUndefined();
  });

  test("that changes something carries the session's own word", async () => {
    setCsrf("word");
    answer = (_, response) => response.writeHead(204).end();

    expect(await ask("DELETE", url)).toEqual({ ok: true, value: undefined });
    expect(asked[0]?.headers["x-vienanh-csrf"]).toBe("word");
  });
});

describe("a refusal", () => {
  test.each([
    [401, "signedOut"],
    [403, "denied"],
    [404, "missing"],
    [409, "invalid"],
    [422, "invalid"],
    [500, "server"],
    [503, "server"],
    [418, "unexpected"],
  ])("%i is %s", async (status, kind) => {
    answer = json(status, {});

    expect(await ask("GET", url)).toEqual({ ok: false, problem: { kind, status, retryAfterS: undefined } });
  });

  test("may say how long to wait", async () => {
    answer = json(429, {}, { "Retry-After": "30" });

    expect(await ask("POST", url, { body: {} })).toMatchObject({ problem: { kind: "throttled", retryAfterS: 30 } });
  });
});

describe("a failure", () => {
  test("of the line is offline", async () => {
    answer = (request) => request.destroy();

    expect(await ask("GET", url)).toMatchObject({ ok: false, problem: { kind: "offline" } });
  });

  test("of the answer is unexpected", async () => {
    answer = (_, response) => response.writeHead(200).end("<html>");

    expect(await ask("GET", url)).toMatchObject({ ok: false, problem: { kind: "unexpected" } });
  });
});
