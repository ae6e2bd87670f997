import { describe, expect, test } from "vitest";
import type { DisplayItem } from "../api/types";
import { standingOf } from "./standing";

function display(result: "passed" | "failed", nextDue: string): DisplayItem {
  const last = { by: "KTV", on: "2026-11-01", result, nextDue, note: "", recordedBy: "a", recordedAt: "" };
  return { id: "1", name: "A", place: "", registeredBy: "a", registeredAt: "", retiredAt: null, last };
}

describe("a display", () => {
  test("is checked until the next check is due, that day included", () => {
    expect(standingOf(display("passed", "2026-12-01"), "2026-12-01")).toBe("checked");
    expect(standingOf(display("passed", "2026-12-01"), "2026-12-02")).toBe("due");
  });

  test("that failed, was never checked, or is not known, is not", () => {
    expect(standingOf(display("failed", "2026-12-01"), "2026-11-23")).toBe("failed");
    expect(standingOf({ ...display("passed", ""), last: null }, "2026-11-23")).toBe("unchecked");
    expect(standingOf(undefined, "2026-11-23")).toBe("unchecked");
  });
});
