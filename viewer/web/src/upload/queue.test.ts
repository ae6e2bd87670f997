import { expect, test } from "vitest";
import type { Sent, UploadBody, UploadResult } from "../api/uploads";
import type { Chosen } from "./chosen";
import { UploadQueue } from "./queue";

function file(path: string, magic: "DICM" | "PK\x03\x04" | "MZ" | "II*\0"): Chosen {
  const head = magic === "DICM" ? "\0".repeat(128) + magic : magic;
  return { file: new File([head], path.split("/").at(-1) ?? ""), path };
}

function stored(part: number, study = "2.25.1"): UploadResult {
  return { part, state: "stored", study };
}

/** A queue whose bodies are answered by hand, at a node that has the instances of these names. */
function aQueue(here: readonly string[] = []) {
  const bodies: { body: UploadBody; answer: (sent: Partial<Sent>) => Promise<void> }[] = [];
  const slides: string[] = [];
  const known = (files: readonly File[]) =>
    Promise.resolve(files.map((one) => (here.includes(one.name) ? "2.25.9" : undefined)));
  const send = (body: UploadBody) =>
    new Promise<Sent>((done) => {
      bodies.push({
        body,
        answer: (sent) => {
          done({ results: [], problem: undefined, ...sent });
          return soon();
        },
      });
    });
  const queue = new UploadQueue({ known, send }, ({ slide, lacks }) =>
    slides.push([slide.name, ...slide.folder.map((one) => one.name), lacks ? `lacks ${lacks}` : ""].join(" ").trim()),
  );
  const add = async (chosen: readonly Chosen[]) => {
    await queue.add(chosen);
    await soon();
  };
  const told = () => queue.uploads().items.map((item) => `${item.path} ${item.state} ${item.code}`.trim());
  return { queue, add, bodies, told, slides };
}

/** After whatever is under way without anybody's answer. */
function soon(): Promise<void> {
  return new Promise((done) => setTimeout(done));
}

test("instances go together, and each is told what became of it", async () => {
  const { queue, add, bodies, told } = aQueue();

  await add([file("ct/1", "DICM"), file("readme.exe", "MZ"), file("ct/2", "DICM")]);
  expect(told()).toEqual(["ct/1 sending", "readme.exe passed", "ct/2 sending"]);
  expect(bodies.map(({ body }) => [body.isZip, body.files.length])).toEqual([[false, 2]]);
  await bodies[0]?.answer({ results: [stored(1), { part: 2, state: "failed", code: "MalformedInstance" }] });

  expect(told()).toEqual(["ct/1 stored", "readme.exe passed", "ct/2 failed MalformedInstance"]);
  expect(queue.uploads().studies).toEqual(["2.25.1"]);
});

test("a zip goes alone and tells how much of it was taken", async () => {
  const { queue, add, bodies } = aQueue();

  await add([file("cd.zip", "PK\x03\x04"), file("1", "DICM"), file("2.zip", "PK\x03\x04")]);
  expect(bodies.map(({ body }) => body.isZip)).toEqual([true, false]);
  await bodies[0]?.answer({ results: [stored(1), stored(2, "2.25.2"), { part: 3, state: "failed" }] });

  expect(queue.uploads().items[0]).toMatchObject({ state: "stored", inside: { stored: 2, not: 1 } });
  expect(queue.uploads().studies).toEqual(["2.25.1", "2.25.2"]);
  expect(bodies).toHaveLength(3);
});

test("what the line lost is sent again when asked to", async () => {
  const { queue, add, bodies, told } = aQueue();
  await add([file("1", "DICM")]);
  await bodies[0]?.answer({ problem: "offline" });
  expect(told()).toEqual(["1 failed offline"]);

  queue.retry();
  await soon();
  await bodies[1]?.answer({ results: [stored(1)] });

  expect(told()).toEqual(["1 stored"]);
});

test("a vendor's slide goes its own way", async () => {
  const { add, told, slides } = aQueue();

  await add([file("one.svs", "II*\0"), file("1", "DICM")]);

  expect(slides).toEqual(["one.svs"]);
  expect(told()).toEqual(["1 sending"]);
});

test("what is there already is not sent again", async () => {
  const { queue, add, bodies, told } = aQueue(["1", "3"]);

  await add([file("ct/1", "DICM"), file("ct/2", "DICM"), file("ct/3", "DICM")]);
  expect(told()).toEqual(["ct/1 here", "ct/2 sending", "ct/3 here"]);
  expect(bodies.map(({ body }) => body.files.map((one) => one.name))).toEqual([["2"]]);
  await bodies[0]?.answer({ results: [stored(1)] });

  expect(told()).toEqual(["ct/1 here", "ct/2 stored", "ct/3 here"]);
  expect(queue.uploads().studies).toEqual(["2.25.9", "2.25.1"]);
});

test("of a folder that is there nothing is sent, and the next files go on", async () => {
  const { add, bodies, told } = aQueue(["1", "2"]);

  await add([file("1", "DICM"), file("2", "DICM")]);
  await add([file("3", "DICM")]);

  expect(told()).toEqual(["1 here", "2 here", "3 sending"]);
  expect(bodies).toHaveLength(1);
});

test("a slide of several files is one thing, and none of them is an instance's neighbour", async () => {
  const { add, told, slides } = aQueue();
  const paths = ["a/K26.mrxs", "a/K26/Slidedat.ini", "a/K26/Data0000.dat", "a/K27.mrxs", "a/K28/Index.dat"];

  await add([...paths.map((path) => file(path, "MZ")), file("a/1", "DICM")]);

  expect(slides).toEqual(["K26.mrxs Data0000.dat Slidedat.ini", "K27.mrxs lacks folder"]);
  expect(told()).toEqual(["a/K28/Index.dat passed", "a/1 sending"]);
});
