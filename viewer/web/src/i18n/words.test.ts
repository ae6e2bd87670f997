import { describe, expect, test } from "vitest";
import { en, type Words } from "./en";
import { vi } from "./vi";

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

  test("are all said somewhere", () => {
    const sources = import.meta.glob<string>(["../**/*.{ts,tsx}", "!../**/*.test.*"], {
      eager: true,
      query: "?raw",
      import: "default",
    });
    const said = new Set<string>();
    const [begun, ended] = [new Set<string>(), new Set<string>()];
    for (const text of Object.values(sources)) {
      for (const [, word = ""] of text.matchAll(/["'`](?:\w+:)?([\w.]+)["'`]/g)) said.add(word);
      // Words of which a part depends on something: t(`kind.${mark.kind}`), t(`${asked}Question`).
      for (const [, beginning = ""] of text.matchAll(/`(?:\w+:)?([\w.]{3,})\$\{/g)) begun.add(beginning);
      for (const [, end = ""] of text.matchAll(/`\$\{[^`}]+\}([A-Z]\w{3,})`/g)) ended.add(end);
    }
    const keys = [...source.keys()].map((key) => key.slice(key.indexOf(".") + 1));
    const isInPart = (key: string) =>
      [...begun].some((beginning) => key.startsWith(beginning)) || [...ended].some((end) => key.endsWith(end));

    expect(keys.filter((key) => !said.has(key) && !isInPart(key))).toEqual([]);
  });
});
