import { describe, expect, test } from "vitest";
import {
  ageAt,
  dicomAge,
  dicomDate,
  displayName,
  formatAgo,
  formatDicomDay,
  formatIsoDay,
  formatMicrons,
  formatMoment,
  formatNumber,
  formatPower,
  formatSquareMicrons,
} from "./format";

const NOW = new Date(2025, 10, 20, 14, 5, 0);

describe("dates", () => {
  test("a DICOM date is a day", () => {
    expect(dicomDate("20251103")?.toDateString()).toBe(new Date(2025, 10, 3).toDateString());
  });

  test("what is no date is none", () => {
    expect(dicomDate("20251341")).toBeUndefined();
    expect(dicomDate("")).toBeUndefined();
  });

  test("a day is written day first", () => {
    expect(formatDicomDay("20251103")).toBe("03/11/2025");
    expect([formatIsoDay("2026-01-05"), formatIsoDay("")]).toEqual(["05/01/2026", ""]);
  });

  test("today needs no day, last year needs the year", () => {
    expect(formatMoment(new Date(2025, 10, 20, 9, 30), NOW, "vi")).toBe("09:30");
    expect(formatMoment(new Date(2025, 10, 3, 9, 30), NOW, "vi")).toBe("09:30 03/11");
    expect(formatMoment(new Date(2024, 10, 20, 9, 30), NOW, "vi")).toBe("09:30 20/11/2024");
  });
});

describe("how long ago", () => {
  test("is told in the largest whole unit", () => {
    expect(formatAgo(new Date(2025, 10, 20, 14, 2, 0), NOW, "vi")).toBe("3 phút trước");
    expect(formatAgo(new Date(2025, 10, 20, 12, 0, 0), NOW, "en")).toMatch(/^2 hrs?\.? ago$/);
  });

  test("is never in the future, whatever the clocks say", () => {
    expect(formatAgo(new Date(2025, 10, 20, 14, 5, 9), NOW, "vi")).toBe("bây giờ");
  });
});

describe("people", () => {
  test("are as old as their last birthday says", () => {
    expect(ageAt("19801121", NOW)).toBe(44);
    expect(ageAt("19801120", NOW)).toBe(45);
    expect(ageAt("", NOW)).toBeUndefined();
  });

  test("have an age in DICOM's form", () => {
    expect(dicomAge("068Y")).toEqual({ unit: "years", count: 68 });
    expect(dicomAge("007M")).toEqual({ unit: "months", count: 7 });
    expect(dicomAge("003W")).toEqual({ unit: "days", count: 21 });
    expect(dicomAge("68")).toBeUndefined();
  });

  test("have names without carets", () => {
    expect(displayName("Nguyễn^Thị Hương^^")).toBe("Nguyễn Thị Hương");
  });
});

test("numbers have the language's decimal sign", () => {
  expect(formatNumber(12.34, "vi", 1)).toBe("12,3");
  expect(formatNumber(12.34, "en", 1)).toBe("12.3");
});

test("lengths and areas under the microscope change their unit as they grow", () => {
  expect(formatMicrons(0.5, "vi")).toBe("0,5 µm");
  expect(formatMicrons(200, "vi")).toBe("200 µm");
  expect(formatMicrons(2000, "en")).toBe("2 mm");
  expect(formatMicrons(123.45, "en", 1)).toBe("123.5 µm");
  expect(formatMicrons(1234.5, "vi", 1)).toBe("1,23 mm");
  expect(formatSquareMicrons(56.78, "vi")).toBe("56,8 µm²");
  expect(formatSquareMicrons(5678, "vi")).toBe("5.678 µm²");
  expect(formatSquareMicrons(56_780, "en")).toBe("0.057 mm²");
  expect(formatSquareMicrons(2_500_000, "en")).toBe("2.50 mm²");
});

test.each([
  [9.999_999, "10"],
  [9.94, "9,9"],
  [5, "5"],
  [2.46, "2,5"],
  [12.5, "13"],
])("a power of %d is written %s", (power, text) => {
  expect(formatPower(power, "vi")).toBe(text);
});
