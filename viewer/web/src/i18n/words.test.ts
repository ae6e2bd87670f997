import { describe, expect, test } from "vitest";
import { en } from "./en";
import common from "./vi/common.json";
import display from "./vi/display.json";
import findings from "./vi/findings.json";
import header from "./vi/header.json";
import pathology from "./vi/pathology.json";
import reading from "./vi/reading.json";
import review from "./vi/review.json";
import sharing from "./vi/sharing.json";
import shown from "./vi/shown.json";
import signin from "./vi/signin.json";
import slides from "./vi/slides.json";
import upload from "./vi/upload.json";
import volumes from "./vi/volumes.json";
import worklist from "./vi/worklist.json";

const vi = {
  display,
  common,
  header,
  reading,
  review,
  signin,
  slides,
  upload,
  volumes,
  worklist,
  sharing,
  findings,
  shown,
  pathology,
};

type Words = { readonly [key: string]: string | Words };

function flat(words: Words, prefix = ""): [string, string][] {
  return Object.entries(words).flatMap(([key, value]) =>
    // English has two forms where Vietnamese has one.
    typeof value === "string"
      ? [[`${prefix}${key.replace(/_(one|other)$/, "")}`, value] as [string, string]]
      : flat(value, `${prefix}${key}.`),
  );
}

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{\{\s*(\w+)/g)].map((match) => match[1] ?? "").sort();
}

describe("the words", () => {
  const source = new Map(flat(vi));
  const second = new Map(flat(en));

  test("have the same keys in both languages", () => {
    expect([...second.keys()].sort()).toEqual([...source.keys()].sort());
  });

  test("take the same values in both languages", () => {
    for (const [key, text] of source)
      expect([key, placeholders(second.get(key) ?? "")]).toEqual([key, placeholders(text)]);
  });

  test("are never empty", () => {
    expect([...source, ...second].filter(([, text]) => text.trim() === "")).toEqual([]);
  });
});
