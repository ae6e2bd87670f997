import { describe, expect, test } from "vitest";
import { isNarrow, questionOf, WIDE } from "./filter";

const TODAY = new Date(2025, 10, 2, 9, 0);

describe("the question to the node", () => {
  test("is wide when nothing is chosen", () => {
    expect(questionOf(WIDE, TODAY)).toEqual({ q: "", modality: "", dateFrom: "", dateTo: "" });
    expect(isNarrow(WIDE)).toBe(false);
  });

  test("counts days back over the end of a month, today included", () => {
    expect(questionOf({ ...WIDE, period: "today" }, TODAY).dateFrom).toBe("20251102");
    expect(questionOf({ ...WIDE, period: "3days" }, TODAY).dateFrom).toBe("20251031");
  });

  test("takes a custom period's ends, either of which may be open", () => {
    const custom = { ...WIDE, period: "custom" as const, from: "2025-10-01", to: "" };

    expect(questionOf(custom, TODAY)).toMatchObject({ dateFrom: "20251001", dateTo: "" });
  });

  test("forgets a custom period's ends when another is chosen", () => {
    const changed = { ...WIDE, period: "any" as const, from: "2025-10-01", to: "2025-10-02" };

    expect(questionOf(changed, TODAY)).toMatchObject({ dateFrom: "", dateTo: "" });
  });
});
