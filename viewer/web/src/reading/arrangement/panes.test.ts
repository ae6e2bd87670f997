import { expect, test } from "vitest";
import type { Series } from "../../api/types";
import { filled, type PaneChoice, withPane } from "./panes";

const STUDY = { studyInstanceUid: "1", site: undefined };
const series = ["a", "b", "c"].map((seriesInstanceUID) => ({ seriesInstanceUID }) as Series);
const showing = (uid: string): PaneChoice => ({
  study: STUDY,
  seriesInstanceUid: uid,
  stackId: undefined,
  isPrior: false,
});
const uids = (panes: readonly PaneChoice[]) => panes.map((pane) => pane.seriesInstanceUid).join("");

test("new panes get the series that are not shown, in order, and then the first again", () => {
  expect(uids(filled([showing("b")], 2, STUDY, series))).toBe("ba");
  expect(uids(filled([showing("b")], 4, STUDY, series))).toBe("baca");
});

test("panes keep what they have, and a smaller layout shows the first of them", () => {
  const four = filled([showing("a")], 4, STUDY, series);

  expect(uids(filled(four, 2, STUDY, series))).toBe("ab");
  expect(uids(withPane(four, 1, showing("c")))).toBe("acca");
});
