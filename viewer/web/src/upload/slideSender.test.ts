import { expect, test } from "vitest";
import type { Result } from "../api/result";
import type { SlideForm, SlideOnItsWay } from "../api/slideUploads";
import type { SlideFile } from "./severalFiles";
import { PIECE_BYTES, type Progress, type SlideNode, SlideSender } from "./slideSender";

const FORM: SlideForm = { patient_id: "BN-1", patient_name: "", accession_number: "", container: "", stain: "" };
const SIZE = 2 * PIECE_BYTES + 5;

/** A file of which nobody reads a byte. */
function aFile(): SlideFile {
  const slice = (from: number, to: number) => ({ size: Math.min(to, SIZE) - from }) as Blob;
  return { name: "a.svs", size: SIZE, slice, folder: [] };
}

interface Fake {
  readonly node: SlideNode;
  readonly sent: (readonly [offset: number, bytes: number])[];
  begun: number;
  /** Uploads that were forgotten. */
  readonly dropped: string[];
}

/** A node that loses the pieces of these numbers, from one, and takes in what is whole in three looks. */
function aNode(lost: readonly number[] = [], known: readonly SlideOnItsWay[] = []): Fake {
  const ok = <T>(value: T): Promise<Result<T>> => Promise.resolve({ ok: true, value });
  const steps: SlideOnItsWay["state"][] = ["waiting", "storing", "stored"];
  let now = known[0] ?? aState({});
  const fake: Fake = {
    sent: [],
    begun: 0,
    dropped: [],
    node: {
      begin: () => {
        fake.begun += 1;
        return ok(now);
      },
      list: () => ok(known),
      look: () => {
        if (now.offset === SIZE) now = { ...now, state: steps.shift() ?? "stored", study: "2.25.1", done: 1, total: 2 };
        return ok(now);
      },
      send: (_, offset, piece, onProgress) => {
        fake.sent.push([offset, piece.size]);
        onProgress(piece.size);
        const arrives = !lost.includes(fake.sent.length);
        if (arrives) now = { ...now, offset: offset + piece.size };
        return Promise.resolve(arrives);
      },
      forget: (upload) => {
        fake.dropped.push(upload);
        return ok<void>(undefined);
      },
      wait: () => Promise.resolve(),
    },
  };
  return fake;
}

function aState(but: Partial<SlideOnItsWay>): SlideOnItsWay {
  const none = { done: 0, total: 0, study: "", lossy: false, code: "" };
  return { upload: "u", name: "a.svs", bytes: SIZE, offset: 0, state: "receiving", ...none, ...but };
}

function told(sender: SlideSender): readonly Progress[] {
  const all: Progress[] = [];
  sender.progress.subscribe(() => all.push(sender.progress.get()));
  return all;
}

test("a slide is sent piece by piece and waited for until it is stored", async () => {
  const { node, sent } = aNode();
  const sender = new SlideSender(aFile(), node);
  const all = told(sender);

  await sender.begin(FORM);

  expect(sent).toEqual([
    [0, PIECE_BYTES],
    [PIECE_BYTES, PIECE_BYTES],
    [2 * PIECE_BYTES, 5],
  ]);
  expect(all.at(-1)).toEqual({ step: "stored", study: "2.25.1", lossy: false });
  expect(all).toContainEqual({ step: "taking", state: "storing", part: 0.5 });
});

test("a piece that was lost is sent again from where the node is", async () => {
  const { node, sent } = aNode([2, 3]);
  const sender = new SlideSender(aFile(), node);
  const all = told(sender);

  await sender.begin(FORM);

  expect(sent.map(([offset]) => offset)).toEqual([0, PIECE_BYTES, PIECE_BYTES, PIECE_BYTES, 2 * PIECE_BYTES]);
  expect(all).toContainEqual({ step: "sending", sent: PIECE_BYTES, broken: true });
  expect(all.at(-1)?.step).toBe("stored");
});

test("what was begun before goes on, and nobody is asked again whose it is", async () => {
  const fake = aNode([], [aState({ offset: 2 * PIECE_BYTES })]);
  const sender = new SlideSender(aFile(), fake.node);

  await sender.resume();

  expect(fake.begun).toBe(0);
  expect(fake.sent).toEqual([[2 * PIECE_BYTES, 5]]);
  expect(sender.progress.get().step).toBe("stored");
});

test.each([
  ["another name", aState({ name: "b.svs", offset: 5 })],
  ["another size", aState({ bytes: 7, offset: 5 })],
  ["whole already", aState({ state: "stored", offset: SIZE })],
])("a slide of %s is not this one", async (_, known) => {
  const sender = new SlideSender(aFile(), aNode([], [known]).node);

  await sender.resume();

  expect(sender.progress.get()).toEqual({ step: "asked" });
});

test("what the node refuses says why and is not tried again", async () => {
  const { node, sent } = aNode();
  const problem = { kind: "missing", status: 404 } as const;
  const gone: SlideNode = { ...node, look: () => Promise.resolve({ ok: false, problem }) as never };
  const sender = new SlideSender(aFile(), gone);

  await sender.begin(FORM);

  expect(sender.progress.get()).toEqual({ step: "failed", code: "missing" });
  expect(sent).toHaveLength(1);
});

test("who leaves has no further piece sent", async () => {
  const { node, sent } = aNode();
  const sender = new SlideSender(aFile(), node);
  sender.progress.subscribe(() => sender.stop());

  await sender.begin(FORM);

  expect(sent).toEqual([]);
});

test("who cancels has nothing more sent, and the node drops what it has", async () => {
  const { node, sent, dropped } = aNode();
  let cancelled: Promise<void> | undefined;
  const cuts: SlideNode = {
    ...node,
    // What was under way ends with the cancelling, and did not arrive.
    send: (_, offset, piece, __, signal) => {
      sent.push([offset, piece.size]);
      return new Promise((done) => {
        signal.addEventListener("abort", () => done(false));
        cancelled = sender.cancel();
      });
    },
  };
  const sender = new SlideSender(aFile(), cuts);
  const all = told(sender);

  await sender.begin(FORM);
  await cancelled;

  expect(sent).toEqual([[0, PIECE_BYTES]]);
  expect(dropped).toEqual(["u"]);
  expect(all.map((one) => one.step)).toEqual(["sending", "sending", "cancelled", "cancelled", "cancelled"]);
  expect(sender.progress.get()).toEqual({ step: "cancelled", there: "dropped" });
});

test("what was cancelled before the node knew of it is dropped when it does", async () => {
  const { node, sent, dropped } = aNode();
  const sender = new SlideSender(aFile(), node);

  const begun = sender.begin(FORM);
  void sender.cancel();
  expect(sender.progress.get()).toEqual({ step: "cancelled", there: "nothing" });
  await begun;

  expect([sent, dropped]).toEqual([[], ["u"]]);
  expect(sender.progress.get()).toEqual({ step: "cancelled", there: "dropped" });
});

test("what nobody has begun is left out, and the node hears nothing of it", async () => {
  const { node, dropped } = aNode();
  const sender = new SlideSender(aFile(), node);

  await sender.cancel();

  expect(dropped).toEqual([]);
  expect(sender.progress.get()).toEqual({ step: "cancelled", there: "nothing" });
});

test("a node that does not answer is told as soon as it does, one that refuses is not asked again", async () => {
  const answers = ["offline", "server", "missing"] as const;
  let asked = 0;
  const { node } = aNode();
  const forget = () => {
    const kind = answers[asked++];
    return Promise.resolve({ ok: false, problem: { kind, status: undefined, retryAfterS: undefined } }) as never;
  };
  const slow = new SlideSender(aFile(), { ...node, forget });
  slow.progress.subscribe(() => slow.progress.get().step === "sending" && void slow.cancel());
  await slow.begin(FORM);

  await expect.poll(() => slow.progress.get()).toEqual({ step: "cancelled", there: "dropped" });
  expect(asked).toBe(3);

  const problem = { kind: "signedOut", status: 401, retryAfterS: undefined } as const;
  const denied = new SlideSender(aFile(), { ...node, forget: () => Promise.resolve({ ok: false, problem }) });
  const begun = denied.begin(FORM);
  await denied.cancel();
  await begun;
  expect(denied.progress.get()).toEqual({ step: "cancelled", there: "untold" });
});

test("what cannot be begun says why", () => {
  const sender = new SlideSender(aFile(), aNode().node);

  sender.refuse("noFolder");

  expect(sender.progress.get()).toEqual({ step: "failed", code: "noFolder" });
});
