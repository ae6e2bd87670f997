import { expect, test } from "vitest";
import type { Series, Study } from "../../api/types";
import { arrange, beside, follow, hungAs, UNARRANGED } from "./arrangement";

const STUDY = { studyInstanceUid: "1", site: undefined };
const series = ["a", "b"].map((seriesInstanceUID) => ({ seriesInstanceUID }) as Series);
const prior = { studyInstanceUID: "2", site: "S" } as Study;
const pane = (uid: string) => ({ prior: undefined, seriesInstanceUid: uid, words: [], preset: "lung" as const });
const hung = hungAs(UNARRANGED, "ctChest", { layout: 2, linked: true, panes: [pane("b"), pane("b")] }, STUDY);

test("what a protocol hung stays hung while the strip says the same", () => {
  const followed = follow(hung, STUDY, "b", "slices");

  expect(followed.panes[0]).toMatchObject({ seriesInstanceUid: "b", stackId: "slices", preset: "lung" });
  expect([followed.protocolId, followed.own]).toEqual(["ctChest", false]);
});

test("another series in a pane is the reader's own arrangement, with its own window", () => {
  const followed = follow(hung, STUDY, "a", undefined);

  expect(followed.panes[0]).not.toHaveProperty("preset");
  expect([followed.protocolId, followed.own]).toEqual([undefined, true]);
  expect(followed.panes[1]).toMatchObject({ seriesInstanceUid: "b", preset: "lung" });
});

test("the first series that is shown arranges nothing", () => {
  expect(follow(UNARRANGED, STUDY, "a", undefined).own).toBe(false);
});

test("another layout, or another study beside this one, is the reader's own", () => {
  const four = arrange(hung, 4, STUDY, series);
  const compared = beside(follow(UNARRANGED, STUDY, "a", undefined), prior, STUDY, series);

  expect([four.layout, four.own, four.protocolId, four.panes.length]).toEqual([4, true, undefined, 4]);
  expect(compared.layout).toBe(2);
  expect(compared.panes[1]).toMatchObject({ study: { studyInstanceUid: "2", site: "S" }, isPrior: true });
});
