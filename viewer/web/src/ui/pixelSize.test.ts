import { expect, test } from "vitest";
import { pixelMmIn } from "./pixelSize";

test("what was measured holds for a display of the same size alone", () => {
  expect(pixelMmIn("1920x1080 0.276", "1920x1080")).toBe(0.276);
  expect(pixelMmIn("1920x1080 0.276", "3840x2160")).toBeUndefined();
});

test.each([null, "", "1920x1080", "1920x1080 wide", "1920x1080 0", "1920x1080 50"])(
  "%s is no size of a pixel",
  (kept) => {
    expect(pixelMmIn(kept, "1920x1080")).toBeUndefined();
  },
);
