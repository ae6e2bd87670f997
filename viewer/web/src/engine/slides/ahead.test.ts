import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Ahead } from "./ahead";

const asked: { readonly url: string; readonly signal: AbortSignal; readonly priority: string }[] = [];
const answers = new Map<string, (response: Response) => void>();

const urls = () => asked.map(({ url }) => url);
const land = (url: string, response = new Response(url)) => answers.get(url)?.(response);
const textOf = async (blob: Promise<Blob | undefined> | undefined) => (await blob)?.text();

beforeEach(() => {
  asked.length = 0;
  answers.clear();
  vi.stubGlobal("fetch", (url: string, { signal, priority }: { signal: AbortSignal; priority: string }) => {
    asked.push({ url, signal, priority });
    return new Promise((done, fail) => {
      answers.set(url, done);
      signal.addEventListener("abort", () => fail(new Error("aborted")));
    });
  });
});

afterEach(() => vi.unstubAllGlobals());

describe("tiles that may be wanted next", () => {
  test("are asked for a few at a time, in their order, behind all else", async () => {
    const ahead = new Ahead();

    ahead.fetch(["1", "2", "3", "4", "5", "6"]);
    expect(urls()).toEqual(["1", "2", "3", "4"]);
    expect(asked.every(({ priority }) => priority === "low")).toBe(true);
    land("2");

    await vi.waitFor(() => expect(urls()).toEqual(["1", "2", "3", "4", "5"]));
  });

  test("are handed out without another question, on their way or landed", async () => {
    const ahead = new Ahead();
    ahead.fetch(["1", "2"]);
    const flying = ahead.take("1");
    land("1");
    land("2");
    expect(await textOf(flying)).toBe("1");

    expect(await textOf(ahead.take("2"))).toBe("2");
    expect(ahead.take("3")).toBeUndefined();
    expect(urls()).toEqual(["1", "2"]);
  });

  test("that nobody came for are given up, those that are wanted now are not", () => {
    const ahead = new Ahead();
    ahead.fetch(["1", "2", "3", "4", "5"]);

    ahead.narrow(["2", "9"]);

    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false, true, true]);
    expect(urls()).toEqual(["1", "2", "3", "4"]);
    expect(ahead.take("1")).toBeUndefined();
    expect(ahead.take("2")).toBeDefined();
  });

  test("of another place replace them; what is common is asked for once", () => {
    const ahead = new Ahead();
    ahead.fetch(["1", "2"]);

    ahead.fetch(["2", "3"]);

    expect(urls()).toEqual(["1", "2", "3"]);
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false, false]);
  });

  test("that did not come are nobody's", async () => {
    const ahead = new Ahead();
    ahead.fetch(["1"]);
    const flying = ahead.take("1");

    land("1", new Response("no", { status: 503 }));

    expect(await flying).toBeUndefined();
    expect(ahead.take("1")).toBeUndefined();
  });

  test("are no more than two hundred", async () => {
    const ahead = new Ahead();

    ahead.fetch(Array.from({ length: 300 }, (_, number) => `${number}`));
    for (let number = 0; number < 200; number += 1) {
      await vi.waitFor(() => expect(answers.has(`${number}`)).toBe(true));
      land(`${number}`);
    }
    await ahead.take("199");

    expect(asked).toHaveLength(200);
  });

  test("are begun no more once thirty-two megabytes of them are held", async () => {
    const ahead = new Ahead();

    ahead.fetch(["1", "2", "3", "4", "5"]);
    const blob = { size: 32 * 2 ** 20 } as Blob;
    land("1", Object.assign(new Response(), { blob: async () => blob }));
    await new Promise((later) => setTimeout(later)); // when all that follows an answer is done

    expect(urls()).toEqual(["1", "2", "3", "4"]);
    ahead.take("1");
    ahead.fetch(["2", "3", "4", "5"]);
    expect(urls()).toEqual(["1", "2", "3", "4", "5"]);
  });
});
