import { expect, test } from "vitest";
import type { Series } from "../api/types";
import type { Stack } from "../engine/frames/stacks";
import { stepStack } from "./stepSeries";

const series = ["before", "films", "after"].map((seriesInstanceUID) => ({ seriesInstanceUID }) as Series);
const stacks = ["1", "2", "3"].map((id): Stack => ({ id, frames: [], warnings: [], cine: true }));

function afterStep(stackId: string, by: number): string {
  const chosen: string[] = [];
  stepStack(
    {
      series,
      current: series[1] as Series,
      onSeries: (uid) => chosen.push(uid),
      stacks,
      stack: stacks.find(({ id }) => id === stackId),
      onStack: (id) => chosen.push(id),
    },
    by,
  );
  return chosen.join();
}

test("films of one series are gone through one by one, then the next series", () => {
  expect(["1", "2", "3"].map((id) => afterStep(id, 1))).toEqual(["2", "3", "after"]);
  expect(["3", "2", "1"].map((id) => afterStep(id, -1))).toEqual(["2", "1", "before"]);
});

test("a series without a stack is one step", () => {
  expect([afterStep("none", 1), afterStep("none", -1)]).toEqual(["after", "before"]);
});
