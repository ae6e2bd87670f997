import { expect, test } from "vitest";
import { reasonKey } from "./reasons";

test.each([
  ["text-left", "text-left"],
  ["install vienanh[pixels]", "install"],
  ["pixels-not-read VA-0042", "pixels-not-read"],
  ["pdf-text-left", "pdf-text-left"],
  ["pdf-encrypted", "pdf"],
  ["what a later node says", "other"],
  ["", "other"],
])("the reason %j is told as %s", (reason, key) => {
  expect(reasonKey(reason)).toBe(key);
});
