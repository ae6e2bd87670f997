// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { hold, leave, stay, type Unsaved, useLeaving } from "./leaving";

const done: string[] = [];
const question = () => useLeaving.getState().question;

function unsaved(name: string, saves: boolean | undefined): Unsaved {
  const save = () => {
    done.push(`save ${name}`);
    return Promise.resolve(saves === true);
  };
  return { what: "marks", save: saves === undefined ? undefined : save, drop: () => void done.push(`drop ${name}`) };
}

afterEach(() => {
  for (const holder of ["slides", "findings", "form"]) hold(holder, undefined);
  stay();
  done.length = 0;
});

test("who leaves nothing behind goes at once", () => {
  hold("slides", unsaved("slides", true));
  hold("slides", undefined);

  leave(() => done.push("gone"));

  expect([done, question()]).toEqual([["gone"], undefined]);
});

test("who would lose something is asked about all of it, and so is who closes the tab", async () => {
  hold("slides", unsaved("slides", true));
  hold("findings", unsaved("findings", true));

  leave(() => done.push("gone"));

  expect(done).toEqual([]);
  expect(window.dispatchEvent(new Event("beforeunload", { cancelable: true }))).toBe(false);
  expect(await question()?.save?.()).toBe(true);
  question()?.drop();
  question()?.go();
  expect(done).toEqual(["save slides", "save findings", "drop slides", "drop findings", "gone"]);
});

test("who goes where only some would be lost is asked about that alone", () => {
  hold("findings", unsaved("findings", true));

  leave(() => done.push("another series"), ["slides"]);

  expect([done, question()]).toEqual([["another series"], undefined]);
});

test("what one cannot save is not offered to be saved, and what fails ends the saving", async () => {
  hold("slides", unsaved("slides", undefined));
  hold("findings", unsaved("findings", true));
  leave(() => undefined);
  expect(question()?.save).toBeUndefined();

  hold("slides", unsaved("slides", false));
  leave(() => undefined);
  expect(await question()?.save?.()).toBe(false);
  expect(done).toEqual(["save slides"]);
});

test("who would lose things of several kinds is asked about them as that, not as the first", () => {
  hold("slides", unsaved("slides", true));
  hold("form", { ...unsaved("form", true), what: "form" });

  leave(() => undefined);
  expect(question()?.what).toBe("several");

  leave(() => undefined, ["form"]);
  expect(question()?.what).toBe("form");
});
