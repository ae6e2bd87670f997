import { expect, test } from "vitest";
import { type Draft, draftOf, isChanged, merged } from "./draft";

const BASE: Draft = { purpose: "formal", values: { gross: "Mảnh mô 2 cm", discussion: "" } };

test("blanks around a text, and an empty field, are no change", () => {
  expect(isChanged(BASE, { purpose: "formal", values: { gross: " Mảnh mô 2 cm\n" } })).toBe(false);
  expect(isChanged(BASE, { purpose: "formal", values: { gross: "Mảnh mô 3 cm" } })).toBe(true);
  expect(isChanged(BASE, { ...BASE, purpose: "teaching" })).toBe(true);
});

test("what another reader saved is taken where nothing was typed here", () => {
  const typed: Draft = { purpose: "formal", values: { gross: "Mảnh mô 2 cm", discussion: "Cần nhuộm Ki-67" } };
  const theirs: Draft = { purpose: "informal", values: { gross: "Mảnh mô 4 cm", discussion: "Không", stains: "HE" } };

  expect(merged(BASE, typed, theirs)).toEqual({
    purpose: "informal",
    values: { gross: "Mảnh mô 4 cm", discussion: "Cần nhuộm Ki-67", stains: "HE" },
  });
});

test("what the node has is typed as text", () => {
  expect(draftOf({ purpose: "formal", values: { blocks: 3 } }).values).toEqual({ blocks: "3" });
});
