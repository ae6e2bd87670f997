import { describe, expect, it } from "vitest";
import type { Series } from "../../api/types";
import { nextOf } from "./companions";

const of = (seriesInstanceUID: string, modality: string) => ({ seriesInstanceUID, modality }) as Series;
const [he, ihc, ct] = [of("1", "SM"), of("2", "SM"), of("3", "CT")];

describe("what stands beside a slide before one has chosen", () => {
  it("is the next slide, and the first after the last", () => {
    expect(nextOf({ slides: [he, ihc], images: [ct], others: [] }, he)).toBe("2");
    expect(nextOf({ slides: [he, ihc], images: [ct], others: [] }, ihc)).toBe("1");
  });

  it("is the first images when there is no other slide", () => {
    expect(nextOf({ slides: [he], images: [ct], others: [] }, he)).toBe("3");
  });

  it("is the slide itself when there is nothing else", () => {
    expect(nextOf({ slides: [he], images: [], others: [] }, he)).toBe("1");
  });
});
