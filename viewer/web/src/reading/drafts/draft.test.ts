// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Draft, drafts } from "./draft";

const STUDY = { studyInstanceUid: "1.2.3", site: "BV1" };
const KEY = "/api/session/draft-key";

/** A node that keeps one draft, or does not answer. */
class Node {
  version = 0;
  content = "";
  line: "up" | "down" | "answers are lost" = "up";
  asked: string[] = [];

  answer(url: string, init: RequestInit): Response {
    if (this.line === "down") throw new TypeError("no line");
    if (url === KEY) return new Response("{}", { status: 403 });
    const method = init.method ?? "";
    this.asked.push(method);
    if (method === "PUT") {
      const wish = JSON.parse(String(init.body)) as { version: number; content: string };
      if (wish.version !== this.version) return new Response("{}", { status: 409 });
      this.version += 1;
      this.content = wish.content;
    }
    if (this.line === "answers are lost") throw new TypeError("no line");
    return Response.json({ version: this.version, content: this.content, at: "2026-11-22T02:00:00Z" });
  }
}

let node: Node;
/** What a room has drawn: words, of which a draft is a list. */
let words: string[];
const made: Draft[] = [];

function aDraft(): Draft {
  const draft = new Draft(STUDY, "marks", {
    written: () => words.join(" "),
    lay: (content) => {
      words = [...new Set([...content.split(" "), ...words])];
    },
    drop: () => {
      words = [];
    },
  });
  made.push(draft);
  return draft;
}

function draw(draft: Draft, word: string): void {
  words = [...words, word];
  draft.note();
}

beforeEach(() => {
  vi.useFakeTimers();
  node = new Node();
  words = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => node.answer(url, init));
});

afterEach(() => {
  for (const draft of made.splice(0)) draft.end();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test("what is drawn is at the node in less than a second, and one who draws on asks it no more often", async () => {
  const draft = aDraft();
  await draft.open();

  for (const word of ["a", "b", "c"]) draw(draft, word);
  await pass(1_000);

  expect([node.content, draft.state.kept]).toEqual(["a b c", "node"]);
  expect(node.asked).toEqual(["GET", "PUT"]);
});

test("a draft of another computer comes back under what is drawn here", async () => {
  Object.assign(node, { version: 7, content: "old" });
  const draft = aDraft();
  draw(draft, "new");

  await draft.open();
  await pass(1_000);

  expect(words).toEqual(["old", "new"]);
  expect(draft.state.restored).toEqual(new Date("2026-11-22T02:00:00Z"));
  expect([node.version, node.content]).toEqual([8, "old new"]);
});

test("nothing is sent before what is saved is here: else the draft that waits would be overwritten", async () => {
  Object.assign(node, { version: 7, content: "old" });
  const draft = aDraft();

  draw(draft, "new");
  await pass(60_000);

  expect([node.asked, draft.state.kept]).toEqual([[], "nowhere"]);
});

test("without a line it is tried again, ever more slowly, and at once when the line is back", async () => {
  const draft = aDraft();
  await draft.open();
  node.line = "down";
  draw(draft, "a");
  await pass(120_000);
  expect(draft.state.kept).toBe("nowhere"); // this browser seals nothing

  node.line = "up";
  window.dispatchEvent(new Event("online"));
  await pass(1);

  expect([node.content, draft.state.kept]).toEqual(["a", "node"]);
});

test("an answer that was lost on the way is no other window", async () => {
  const draft = aDraft();
  await draft.open();
  node.line = "answers are lost";
  draw(draft, "a");
  await pass(1_000);
  expect([node.version, draft.state.kept]).toEqual([1, "nowhere"]);

  node.line = "up";
  await pass(5_000);

  expect([node.version, draft.state.kept, draft.state.problem]).toEqual([1, "node", undefined]);
});

test("a draft that another window kept is not overwritten, but brought together when somebody says so", async () => {
  const draft = aDraft();
  await draft.open();
  Object.assign(node, { version: 1, content: "theirs" });

  draw(draft, "ours");
  await pass(1_000);
  expect([node.content, draft.state.problem]).toEqual(["theirs", "changed"]);
  draw(draft, "more");
  await pass(60_000);
  expect(node.content).toBe("theirs");
  await draft.merge();

  expect(words).toEqual(["theirs", "ours", "more"]);
  expect([node.content, draft.state.problem, draft.state.kept]).toEqual(["theirs ours more", undefined, "node"]);
});

test("another window that saved its own, or dropped it, stands in nobody's way", async () => {
  const draft = aDraft();
  await draft.open();
  Object.assign(node, { version: 2, content: "" });

  draw(draft, "ours");
  await pass(1_000);

  expect([node.version, node.content, draft.state.problem]).toEqual([3, "ours", undefined]);
});

test("a window that was told of another goes on by itself when that one has saved, or dropped, what it had", async () => {
  const draft = aDraft();
  await draft.open();
  Object.assign(node, { version: 1, content: "theirs" });
  draw(draft, "ours");
  await pass(1_000);
  expect(draft.state.problem).toBe("changed");

  Object.assign(node, { version: 2, content: "" });
  await pass(10_000);

  expect([words, node.content, draft.state.problem, draft.state.kept]).toEqual([["ours"], "ours", undefined, "node"]);
});

test("what was saved, or is not wanted, leaves no draft", async () => {
  const draft = aDraft();
  await draft.open();
  draw(draft, "a");
  await pass(1_000);

  draft.drop();
  await pass(1_000);

  expect([words, node.content, draft.state.kept]).toEqual([[], "", "saved"]);
});

test("who leaves in the middle leaves a draft, who leaves without the marks does not", async () => {
  const [first, second] = [aDraft(), aDraft()];
  await first.open();
  draw(first, "a");
  first.end();
  await pass(1);
  expect(node.content).toBe("a");

  await second.open();
  second.end(true);
  await pass(1);

  expect(node.content).toBe("");
  expect(drafts.get()).toEqual([]);
});

test("what the node takes no more of is told, until there is less of it", async () => {
  const draft = aDraft();
  await draft.open();
  draw(draft, "x".repeat(1_048_577));
  await pass(60_000);
  expect([draft.state.problem, draft.state.kept, node.asked]).toEqual(["refused", "nowhere", ["GET"]]);

  words = ["less"];
  draft.note();
  await pass(1_000);

  expect([draft.state.problem, node.content]).toEqual([undefined, "less"]);
});
