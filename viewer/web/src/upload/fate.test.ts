import { expect, test } from "vitest";
import type { TraceEvent } from "../api/types";
import { fateOf } from "./fate";

function event(name: string, detail: TraceEvent["detail"] = {}): TraceEvent {
  return { seq: 1, at: "2026-11-22T08:00:00Z", name, detail };
}

test("the trace tells what was received, made, held and why, and delivered", () => {
  const fate = fateOf([
    event("InstanceReceived"),
    event("InstanceReceived"),
    event("InstanceDeidentified"),
    event("StudyHeld", { because: "pixel-review", kind: "text-left" }),
    event("StudyHeld", { because: "pixel-review", kind: "text-left" }),
    event("StudyHeld", { because: "residue" }),
    event("StudyDelivered"),
  ]);

  expect(fate).toEqual({
    received: 2,
    deidentified: 1,
    delivered: true,
    held: ["pixel-review text-left", "residue"],
    heldCount: 3,
  });
});
