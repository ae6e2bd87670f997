import { expect, test } from "vitest";
import { changesOf, laidOver, readChanges, together, written } from "./changes";

interface One {
  readonly uid: string;
  readonly text: string;
}

const one = (uid: string, text = uid): One => ({ uid, text });
const isSame = (a: One, b: One) => a.text === b.text;
const SAVED = [one("a"), one("b"), one("c")];

test("what is not saved is what came, what says something else, and what went", () => {
  const changes = changesOf(SAVED, [one("a"), one("b", "moved"), one("new")], isSame);

  expect(changes).toEqual({ put: [one("b", "moved"), one("new")], removed: ["c"] });
  expect(laidOver(SAVED, changes, isSame)).toEqual([one("a"), one("b", "moved"), one("new")]);
});

test("a draft is laid over what somebody else saved meanwhile, and takes nothing of theirs", () => {
  const changes = changesOf(SAVED, [one("a"), one("c"), one("new")], isSame);
  const theirs = [...SAVED, one("theirs")];

  expect(laidOver(theirs, changes, isSame)).toEqual([one("a"), one("c"), one("theirs"), one("new")]);
});

test("what was saved since, from the draft itself, is no change any more", () => {
  const changes = { put: [one("new")], removed: [] };
  const saved = [...SAVED, one("new")];

  const laid = laidOver(saved, changes, isSame);

  expect(laid).toEqual(saved);
  expect(written(changesOf(saved, laid, isSame))).toBe("");
  expect(laid[3]).toBe(saved[3]); // the very object, so that it counts as saved
});

test("of two windows nothing is lost, and of what both changed ours stays", () => {
  const ours = { put: [one("b", "ours"), one("mine")], removed: ["a"] };
  const theirs = { put: [one("a", "theirs"), one("b", "theirs"), one("yours")], removed: ["c"] };

  expect(together(ours, theirs)).toEqual({ put: [one("yours"), one("b", "ours"), one("mine")], removed: ["c", "a"] });
});

test("a draft is read as it was written, and what nobody here wrote is passed over", () => {
  const changes = { put: [one("a")], removed: ["b"] };

  expect(readChanges(written(changes))).toEqual(changes);
  expect(readChanges(written(changes, { purpose: "forTeaching" }))).toEqual({ ...changes, purpose: "forTeaching" });
  expect(written({ put: [], removed: [] }, { purpose: "forTeaching" })).not.toBe("");
  for (const strange of ["", "{", "null", "[]", '{"put": 1, "removed": []}'])
    expect(readChanges(strange)).toBeUndefined();
});
