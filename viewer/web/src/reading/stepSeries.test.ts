import { expect, test } from "vitest";
import type { Series } from "../api/types";
import type { Stack } from "../engine/frames/stacks";
import { stackNamed, stepStack } from "./stepSeries";

const series = ["before", "films", "after"].map((seriesInstanceUID) => ({ seriesInstanceUID }) as Series);
const stacks = ["1", "2", "3"].map((id): Stack => ({ id, frames: [], warnings: [], cine: true }));

/** Which film is shown then, of which series where that is another one; each series has the same films. */
function afterStep(stackId: string, by: -1 | 1): string {
  const chosen: string[] = [];
  stepStack(
    {
      series,
      current: series[1] as Series,
      stacks,
      stack: stacks.find(({ id }) => id === stackId),
      onStack: (id, uid = "") => chosen.push(`${uid} ${stackNamed(stacks, id)?.id}`.trim()),
    },
    by,
  );
  return chosen.join();
}

test("films are gone through one by one, on into the first of the next series and back into the last of the one before", () => {
  expect(["1", "2", "3"].map((id) => afterStep(id, 1))).toEqual(["2", "3", "after 1"]);
  expect(["3", "2", "1"].map((id) => afterStep(id, -1))).toEqual(["2", "1", "before 3"]);
});

test("a series without a stack is one step", () => {
  expect([afterStep("none", 1), afterStep("none", -1)]).toEqual(["after 1", "before 3"]);
});
