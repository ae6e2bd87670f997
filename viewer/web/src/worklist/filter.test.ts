import { describe, expect, test } from "vitest";
import { isNarrow, questionOf, WIDE } from "./filter";

const TODAY = new Date(2025, 10, 2, 9, 0);

describe("the question to the node", () => {
  test("is wide when nothing is chosen", () => {
    expect(questionOf(WIDE, TODAY)).toEqual({ q: "", modality: "", receivedFrom: "", receivedBefore: "" });
    expect(isNarrow(WIDE)).toBe(false);
  });

  test("counts days back over the end of a month, today included", () => {
    expect(questionOf({ ...WIDE, period: "today" }, TODAY).receivedFrom).toBe(new Date(2025, 10, 2).toISOString());
    expect(questionOf({ ...WIDE, period: "3days" }, TODAY).receivedFrom).toBe(new Date(2025, 9, 31).toISOString());
  });

  test("takes a custom period's ends, the last day whole, either of which may be open", () => {
    const custom = { ...WIDE, period: "custom" as const, from: "2025-10-01", to: "" };

    expect(questionOf(custom, TODAY)).toMatchObject({
      receivedFrom: new Date(2025, 9, 1).toISOString(),
      receivedBefore: "",
    });
    expect(questionOf({ ...custom, to: "2025-10-31" }, TODAY).receivedBefore).toBe(new Date(2025, 10, 1).toISOString());
  });

  test("forgets a custom period's ends when another is chosen", () => {
    const changed = { ...WIDE, period: "any" as const, from: "2025-10-01", to: "2025-10-02" };

    expect(questionOf(changed, TODAY)).toMatchObject({ receivedFrom: "", receivedBefore: "" });
  });
});
