import { expect, test } from "vitest";
import type { TraceEvent } from "../../api/types";
import { condense } from "./condense";

function events(...names: string[]): TraceEvent[] {
  return names.map((name, index) => ({
    seq: index + 1,
    at: `2025-11-20T07:00:${String(index).padStart(2, "0")}Z`,
    name,
    detail: {},
  }));
}

function told(names: string[]): string[] {
  return condense(events(...names)).map((dot) => `${dot.name} ${dot.count}`);
}

test("sixty instances are one dot with a span", () => {
  const dots = condense(events("InstanceReceived", "InstanceReceived", "InstanceReceived", "StudyComplete"));

  expect(dots.map((dot) => [dot.name, dot.count])).toEqual([
    ["InstanceReceived", 3],
    ["StudyComplete", 1],
  ]);
  expect(dots[0]?.last.getTime()).toBeGreaterThan(dots[0]?.first.getTime() ?? 0);
});

test("instances that are received and delivered at the same time are two dots, not many", () => {
  expect(told(["InstanceReceived", "InstanceDelivered", "InstanceReceived", "InstanceDelivered"])).toEqual([
    "InstanceReceived 2",
    "InstanceDelivered 2",
  ]);
});

test("instances that come after the study was complete are a new dot", () => {
  expect(told(["InstanceReceived", "StudyComplete", "InstanceReceived"])).toEqual([
    "InstanceReceived 1",
    "StudyComplete 1",
    "InstanceReceived 1",
  ]);
});

test("lists and plans between the instances do not break the line", () => {
  expect(told(["ManifestReceived", "InstanceReceived", "PlanMade", "ManifestReceived", "InstanceReceived"])).toEqual([
    "ManifestReceived 2",
    "InstanceReceived 2",
    "PlanMade 1",
  ]);
});

test("a study opened twice in a row is one dot, and once more later another", () => {
  expect(told(["StudyOpened", "StudyOpened", "InstanceReceived", "StudyOpened"])).toEqual([
    "StudyOpened 2",
    "InstanceReceived 1",
    "StudyOpened 1",
  ]);
});

test("what a person should look at is marked", () => {
  expect(condense(events("StudyHeld"))[0]?.bad).toBe(true);
});
