import { expect, test } from "vitest";
import { onAtFirst } from "./bulkStart";

const group = (id: string, count: number) => ({ id, count });

test("small groups are drawn at once, those of very many shapes when somebody says so", () => {
  expect([...onAtFirst([group("nuclei", 100_000), group("tumour", 1), group("mitoses", 40)])]).toEqual([
    "tumour",
    "mitoses",
  ]);
  expect([...onAtFirst([group("nuclei", 100_000)])]).toEqual([]);
  expect([...onAtFirst([group("a", 12_000), group("b", 8_000), group("c", 1)])]).toEqual(["a", "b"]);
});

test("no more than eight groups are drawn at once", () => {
  const groups = Array.from({ length: 12 }, (_, number) => group(`${number}`, 1));

  expect([...onAtFirst(groups)]).toHaveLength(8);
});
