import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { StudyKey } from "../../api/queries";
import { failed, type Result } from "../../api/result";
import type { DrawnSeries, ShownSeries } from "../../api/types";
import type { Frame } from "../../engine/frames/frame";
import { bySeries, RETRY_MS, ShownBook, TELL_MS, TOLD_MAX } from "./shownBook";

const STUDY: StudyKey = { studyInstanceUid: "1.2", site: "A" };
const PRIOR: StudyKey = { studyInstanceUid: "1.3", site: "A" };

function frame(instance: number, frameNumber = 1): Frame {
  const url = `/dicom-web/studies/1.2/series/1.2.5/instances/1.2.5.${instance}/frames/${frameNumber}`;
  return { url, imageId: `vienanh:${url}`, sopInstanceUid: `1.2.5.${instance}`, frameNumber } as Frame;
}

const images = (series: readonly DrawnSeries[]) => series.flatMap((one) => one.instances);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function aBook(answers: Result<readonly ShownSeries[]>[] = []) {
  const told: { study: StudyKey; series: readonly DrawnSeries[]; leaving: boolean }[] = [];
  const kept: StudyKey[] = [];
  const book = new ShownBook({
    tell: async (study, series, leaving) => {
      told.push({ study, series, leaving });
      return answers.shift() ?? { ok: true, value: [] };
    },
    onKept: (study) => kept.push(study),
  });
  return { book, told, kept };
}

it("tells what was drawn within a few seconds as one, and nothing twice", async () => {
  const { book, told, kept } = aBook();
  for (const one of [frame(1), frame(2), frame(1)]) book.note(STUDY, one);
  expect(told).toEqual([]);

  await vi.advanceTimersByTimeAsync(TELL_MS);
  book.note(STUDY, frame(2));
  await vi.advanceTimersByTimeAsync(TELL_MS);

  expect(told).toEqual([{ study: STUDY, series: bySeries([frame(1), frame(2)]), leaving: false }]);
  expect(kept).toEqual([STUDY]);
});

it("groups frames by instance and series", () => {
  expect(bySeries([frame(1, 1), frame(2, 1), frame(1, 3)])).toEqual([
    {
      seriesInstanceUID: "1.2.5",
      instances: [
        { sopInstanceUID: "1.2.5.1", frames: [1, 3] },
        { sopInstanceUID: "1.2.5.2", frames: [1] },
      ],
    },
  ]);
});

it("tells studies apart, and so many images at once", async () => {
  const { book, told } = aBook();
  for (let index = 0; index < TOLD_MAX + 1; index += 1) book.note(STUDY, frame(index));
  book.note(PRIOR, frame(9000));

  await vi.advanceTimersByTimeAsync(TELL_MS);

  expect(told.map(({ study, series }) => [study.studyInstanceUid, images(series).length])).toEqual([
    ["1.2", TOLD_MAX],
    ["1.2", 1],
    ["1.3", 1],
  ]);
});

it("tries again when the line was gone, and not when it is refused", async () => {
  const { book, told, kept } = aBook([failed("offline"), { ok: true, value: [] }, failed("denied", 403)]);
  book.note(STUDY, frame(1));
  await vi.advanceTimersByTimeAsync(TELL_MS);
  expect(kept).toEqual([]);
  await vi.advanceTimersByTimeAsync(RETRY_MS);
  expect(kept).toEqual([STUDY]);

  book.note(STUDY, frame(2));
  await vi.advanceTimersByTimeAsync(TELL_MS + RETRY_MS);

  expect(told.map(({ series }) => images(series).map((one) => one.sopInstanceUID))).toEqual([
    ["1.2.5.1"],
    ["1.2.5.1"],
    ["1.2.5.2"],
  ]);
});

it("tells what waits when the room is left, and no more after", async () => {
  const { book, told } = aBook([failed("offline")]);
  book.note(STUDY, frame(1));

  book.end();
  book.note(STUDY, frame(2));
  await vi.advanceTimersByTimeAsync(TELL_MS + RETRY_MS);

  expect(told).toEqual([{ study: STUDY, series: bySeries([frame(1)]), leaving: true }]);
});
