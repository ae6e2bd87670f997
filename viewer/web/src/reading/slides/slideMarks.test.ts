// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Marks } from "../../engine/slides/marks";
import { aSlide } from "../../engine/slides/slide.fixture";
import { MarksOfSlide } from "./slideMarks";
import type { Bench } from "./useSlideView";

const STUDY = { studyInstanceUid: "1.2.3", site: "BV1" };
const SERIES = "1.2.3.1";

interface Mark {
  readonly uid: string;
  readonly text: string;
}

/** A node that keeps the annotations of one slide, and their draft. */
class Node {
  saved = 0;
  marks: readonly Mark[] = [];
  draft = { version: 0, content: "" };
  /** Done before the next saving arrives. */
  first: (() => void) | undefined;

  answer(url: string, { method, body }: RequestInit): Response {
    const wish = body ? JSON.parse(String(body)) : undefined;
    if (url.includes("/annotations")) return method === "POST" ? this.save(wish) : this.state();
    if (!url.includes("/draft?") && !url.endsWith("/draft")) return new Response("{}", { status: 403 });
    if (method === "PUT") {
      if (wish.version !== this.draft.version) return new Response("{}", { status: 409 });
      this.draft = { version: this.draft.version + 1, content: wish.content };
    }
    return Response.json({ ...this.draft, at: "2026-11-22T02:00:00Z" });
  }

  private save({ base, marks }: { base: string | null; marks: readonly Mark[] }): Response {
    this.first?.();
    this.first = undefined;
    if (base !== this.instance()) return new Response("{}", { status: 409 });
    this.saved += 1;
    this.marks = marks;
    return this.state();
  }

  private instance(): string | null {
    return this.saved === 0 ? null : `1.2.${this.saved}`;
  }

  private state(): Response {
    return Response.json({ instance: this.instance(), author: "bs.lan", at: null, marks: this.marks });
  }
}

/** A channel whose messages arrive later, or only when the test lets them. */
class Channel {
  static all = new Set<Channel>();
  static held: (() => void)[] | undefined;
  onmessage: ((event: { data: unknown }) => void) | undefined;
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
    Channel.all.add(this);
  }

  postMessage(message: unknown): void {
    const data = structuredClone(message);
    for (const one of Channel.all) {
      if (one === this || one.name !== this.name) continue;
      const arrive = () => Channel.all.has(one) && one.onmessage?.({ data });
      if (Channel.held) Channel.held.push(arrive);
      else queueMicrotask(arrive);
    }
  }

  close(): void {
    Channel.all.delete(this);
  }

  static release(): void {
    const held = Channel.held ?? [];
    Channel.held = undefined;
    for (const arrive of held) arrive();
  }
}

let node: Node;
const open: MarksOfSlide[] = [];

class OneWindow {
  readonly marks = new Marks();
  readonly work: MarksOfSlide;

  constructor(account = "bs.lan") {
    const bench = { view: { slide: aSlide() }, marks: this.marks } as unknown as Bench;
    this.work = new MarksOfSlide(STUDY, SERIES, bench, account);
    open.push(this.work);
  }

  draw(text: string): string {
    return this.marks.add("point", [{ x: 100, y: 200 }], text)?.uid ?? "";
  }

  get texts(): readonly string[] {
    return this.marks.list.get().map(({ text }) => text);
  }
}

async function aWindow(account?: string): Promise<OneWindow> {
  const one = new OneWindow(account);
  await pass(1_000);
  return one;
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const saved = () => node.marks.map(({ text }) => text);
const drafted = () => (JSON.parse(node.draft.content) as { put: Mark[] }).put.map(({ text }) => text);

beforeEach(() => {
  vi.useFakeTimers();
  node = new Node();
  Channel.all.clear();
  Channel.held = undefined;
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => node.answer(url, init));
  vi.stubGlobal("BroadcastChannel", Channel);
});

afterEach(async () => {
  for (const one of open.splice(0)) {
    one.drop();
    one.end();
  }
  await pass(1_000);
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("what is drawn on a slide in one window is in the other at once, and in one draft", async () => {
  const [one, two] = [await aWindow(), await aWindow()];

  one.draw("a");
  await pass(0);
  two.draw("b");
  await pass(1_000);

  expect([one.texts, two.texts]).toEqual([
    ["a", "b"],
    ["a", "b"],
  ]);
  expect([drafted(), one.work.draft.state.problem]).toEqual([["a", "b"], undefined]);
});

test("a window that comes later has what is not saved, and what was taken away stays away", async () => {
  const one = await aWindow();
  const uid = one.draw("a");
  one.draw("b");
  await pass(1_000);

  const two = await aWindow();
  two.marks.remove(uid);
  await pass(1_000);

  expect([one.texts, two.texts, drafted()]).toEqual([["b"], ["b"], ["b"]]);
});

test("two strokes at one moment are both there, and of two changes of one mark the same counts in both", async () => {
  const [one, two] = [await aWindow(), await aWindow()];
  const uid = one.draw("a");
  await pass(0);

  Channel.held = [];
  one.draw("of one");
  two.draw("of two");
  one.marks.write(uid, "told by one");
  two.marks.write(uid, "told by two");
  Channel.release();
  await pass(1_000);

  expect([...one.texts].sort()).toEqual([...two.texts].sort());
  expect(one.texts).toHaveLength(3);
  expect(one.texts).toEqual(expect.arrayContaining(["of one", "of two"]));
});

test("what one window saves is saved in the other, which keeps what came since", async () => {
  const [one, two] = [await aWindow(), await aWindow()];
  one.draw("a");
  await pass(0);
  Channel.held = [];
  two.draw("b");

  await one.work.keeping?.save();
  Channel.release();
  await pass(1_000);

  expect(saved()).toEqual(["a"]);
  expect([one.texts, two.texts, drafted()]).toEqual([["a", "b"], ["a", "b"], ["b"]]);
});

test("a draft of another computer is brought together with this one's, without a question", async () => {
  const one = await aWindow();
  const mine = one.draw("a");
  await pass(1_000);
  const theirs = { uid: "9", kind: "point", points: [{ x: 1, y: 1 }], text: "of another" };
  const { put } = JSON.parse(node.draft.content) as { put: unknown[] };
  node.draft = { version: 7, content: JSON.stringify({ put: [...put, theirs], removed: [] }) };

  one.marks.remove(mine);
  one.draw("c");
  await pass(1_000);

  expect([one.texts, drafted(), one.work.draft.state.problem]).toEqual([
    ["of another", "c"],
    ["of another", "c"],
    undefined,
  ]);
});

test("who was slower to save adds to what the faster one saved", async () => {
  const one = await aWindow();
  one.draw("a");
  await one.work.keeping?.save();
  one.draw("c");
  node.first = () => {
    node.marks = [...node.marks, { ...node.marks[0], uid: "9", text: "b" }];
    node.saved += 1;
  };

  await one.work.keeping?.save();

  expect([saved(), one.work.keeping?.state.get().problem]).toEqual([["a", "b", "c"], undefined]);
});

test("a mark that both changed is a person's to decide, and until then the faster one's stands", async () => {
  const one = await aWindow();
  const uid = one.draw("a");
  await one.work.keeping?.save();
  one.marks.write(uid, "mine");
  node.first = () => {
    node.marks = node.marks.map((mark) => ({ ...mark, text: "theirs" }));
    node.saved += 1;
  };

  await one.work.keeping?.save();

  expect([saved(), one.texts, one.work.keeping?.state.get().problem]).toEqual([["theirs"], ["mine"], "changed"]);
});

test("a node that is always a saving ahead is not asked for ever", async () => {
  const one = await aWindow();
  one.draw("a");
  let asked = 0;
  const faster = () => {
    asked += 1;
    node.saved += 1;
    queueMicrotask(() => {
      node.first = faster;
    });
  };
  node.first = faster;

  await one.work.keeping?.save();

  expect([asked, one.work.keeping?.state.get().problem]).toEqual([4, "changed"]);
});

test("one who leaves without what is not saved takes nothing from the other window", async () => {
  const [one, two] = [await aWindow(), await aWindow()];
  two.draw("b");
  await pass(1_000);

  one.work.letGo();
  one.work.end();
  await pass(1_000);

  expect([two.texts, drafted()]).toEqual([["b"], ["b"]]);
  two.work.letGo();
  await pass(1_000);
  expect([two.texts, node.draft.content]).toEqual([[], ""]);
});

test("another person at this browser hears nothing", async () => {
  const [one, two] = [await aWindow("bs.lan"), await aWindow("bs.minh")];

  one.draw("a");
  await pass(100);

  expect(two.texts).toEqual([]);
});
