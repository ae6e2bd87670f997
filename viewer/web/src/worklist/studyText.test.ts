import { describe, expect, test } from "vitest";
import type { Study } from "../api/types";
import { completeness, imageCount, newStat, progress } from "./studyText";

function aStudy(changes: Partial<Study> = {}): Study {
  return {
    site: "MUONGKHE",
    studyInstanceUID: "2.25.1",
    patientName: "VA^XANH 1234",
    patientID: "VA-1234",
    patientBirthDate: "",
    patientSex: "",
    studyDate: "20251103",
    studyTime: "",
    modalities: ["CT"],
    bodyPart: "HEAD",
    studyDescription: "",
    accessionNumber: "",
    numberOfSeries: 1,
    have: 34,
    expected: 60,
    state: "receiving",
    priority: "routine",
    evidence: "",
    firstReceivedAt: "2025-11-20T07:00:00Z",
    lastReceivedAt: "2025-11-20T07:00:00Z",
    traceId: "",
    ...changes,
  };
}

describe("the count of images", () => {
  test("says how many of how many are here", () => {
    expect(imageCount(aStudy())).toEqual({ key: "images", have: 34, expected: 60 });
  });

  test("says so when the total is unknown", () => {
    expect(imageCount(aStudy({ expected: null }))).toEqual({ key: "imagesUnknown", count: 34 });
  });

  test("says all when all are here, or when the study is complete without a count", () => {
    expect(imageCount(aStudy({ have: 60, state: "complete" }))).toEqual({ key: "imagesAll", count: 60 });
    expect(imageCount(aStudy({ expected: null, state: "complete" }))).toEqual({ key: "imagesAll", count: 34 });
  });
});

describe("completeness", () => {
  test("is receiving until the evidence is there", () => {
    expect(completeness(aStudy({ have: 60 }))).toBe("receiving");
  });

  test("is short when the sender is done and images are missing", () => {
    expect(completeness(aStudy({ state: "complete" }))).toBe("short");
    expect(completeness(aStudy({ state: "complete", have: 60 }))).toBe("complete");
  });

  test("has a share only when the total is known", () => {
    expect(progress(aStudy({ have: 30 }))).toBe(0.5);
    expect(progress(aStudy({ expected: null }))).toBeUndefined();
  });
});

describe("new STAT studies", () => {
  const stat = aStudy({ priority: "stat" });

  test("are none at the first look", () => {
    expect(newStat(undefined, [stat])).toEqual([]);
  });

  test("are those that came, and those that became STAT", () => {
    expect(newStat([], [stat])).toEqual([stat]);
    expect(newStat([aStudy()], [stat])).toEqual([stat]);
  });

  test("are told apart by site, because UIDs may be equal", () => {
    const other = aStudy({ priority: "stat", site: "SAPA" });
    expect(newStat([stat], [stat, other])).toEqual([other]);
  });
});
