import { expect, test } from "vitest";
import type { Series } from "../../api/types";
import { shownSeries } from "./series";

const of = (modality: string) => ({ modality, seriesInstanceUID: modality }) as Series;

test("series of bulk annotations are not shown beside the slide that they lie over", () => {
  expect(shownSeries([of("SM"), of("ANN"), of("SR")]).map(({ modality }) => modality)).toEqual(["SM", "SR"]);
});

test("nor are segmentations, unless images could be what is segmented", () => {
  const shown = (...modalities: string[]) => shownSeries(modalities.map(of)).map(({ modality }) => modality);

  expect(shown("SM", "SEG", "SR")).toEqual(["SM", "SR"]);
  expect(shown("SM", "SEG", "CT")).toEqual(["SM", "SEG", "CT"]);
});

test("without a slide they are all there is", () => {
  expect(shownSeries([of("ANN")])).toHaveLength(1);
});
