import { expect, test } from "vitest";
import { isoDay, tidyDay, typedDay } from "./day";

test.each([
  ["22/11/2026", "20261122"],
  ["2-1-2026", "20260102"],
  [" 02.01.2026 ", "20260102"],
  ["2 1 2026", "20260102"],
  ["22112026", "20261122"],
  ["29/02/2024", "20240229"],
  ["", ""],
  ["  ", ""],
])("%j is the day %s", (text, day) => {
  expect(typedDay(text)).toBe(day);
});

test.each(["11/22/2026", "29/02/2026", "31/4/2026", "0/1/2026", "2026-11-22", "1/1/26", "hôm nay"])(
  "%j is no day",
  (text) => {
    expect(typedDay(text)).toBeUndefined();
  },
);

test("what was understood is shown as days are everywhere; the rest stays as it was typed", () => {
  expect(["2-1-2026", "22112026", "x", ""].map(tidyDay)).toEqual(["02/01/2026", "22/11/2026", "x", ""]);
});

test("a day of the reader's own clock is that of the wall, until midnight", () => {
  expect(isoDay(new Date(2026, 0, 5, 23, 59))).toBe("2026-01-05");
});
