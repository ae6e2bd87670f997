import { expect, test } from "vitest";
import { found, type Known, rowsOf } from "./attributes";

const KNOWN = new Map<string, Known>([
  ["00100010", { name: "Patient's Name", keyword: "PatientName", profiled: true }],
  ["00280010", { name: "Rows", keyword: "Rows", profiled: false }],
  ["00400275", { name: "Request Attributes Sequence", keyword: "RequestAttributesSequence", profiled: true }],
  ["00400007", { name: "Scheduled Procedure Step Description", keyword: "X", profiled: true }],
]);
const INSTANCE = {
  "00280010": { vr: "US", Value: [512] },
  "00100010": { vr: "PN", Value: [{ Alphabetic: "Đỗ^Hùng" }] },
  "00400275": { vr: "SQ", Value: [{ "00400007": { vr: "LO", Value: ["CT sọ não"] } }, {}] },
  "7FE00010": { vr: "OW", BulkDataURI: "/bulk/1" },
  "00091001": { vr: "UN", InlineBinary: "AAAA" },
};
const rows = rowsOf(INSTANCE, KNOWN);
const paths = (query: string) => found(rows, query).map((row) => row.path);

test("attributes stand in order of tags, items under their sequence", () => {
  expect(rows.map((row) => [row.depth, row.tag, row.value])).toEqual([
    [0, "(0009,1001)", "3 B"],
    [0, "(0010,0010)", "Đỗ^Hùng"],
    [0, "(0028,0010)", "512"],
    [0, "(0040,0275)", ""],
    [1, "#1", ""],
    [2, "(0040,0007)", "CT sọ não"],
    [1, "#2", ""],
    [0, "(7FE0,0010)", "…"],
  ]);
});

test("one is found by its name, keyword, value or tag, inside the sequences that it is in", () => {
  expect(paths("patient name")).toEqual(["00100010"]);
  expect(paths("PATIENTNAME")).toEqual(["00100010"]);
  expect(paths("do hung")).toEqual(["00100010"]);
  expect(paths("0028,0010")).toEqual(["00280010"]);
  expect(paths("(0040")).toEqual(["00400275", "00400275.1", "00400275.1.00400007"]);
  expect(paths("so nao")).toEqual(["00400275", "00400275.1", "00400275.1.00400007"]);
  expect(paths("nothing of the kind")).toEqual([]);
  expect(paths(" ")).toHaveLength(rows.length);
});

test("which attributes de-identification concerns is told", () => {
  expect(rows.filter((row) => row.profiled && row.depth === 0).map((row) => row.tag)).toEqual([
    "(0010,0010)",
    "(0040,0275)",
  ]);
});

test("what a stranger made deep, long or many is cut", () => {
  let deep: object = {};
  for (let level = 0; level < 40; level += 1) deep = { "00400275": { vr: "SQ", Value: [deep] } };
  const many = { "00400275": { vr: "SQ", Value: Array.from({ length: 9_000 }, () => ({})) } };

  expect(Math.max(...rowsOf(deep, KNOWN).map((row) => row.depth))).toBeLessThan(16);
  expect(rowsOf({ "00104000": { vr: "LT", Value: ["a".repeat(9_999)] } }, KNOWN)[0]?.value).toHaveLength(301);
  expect(rowsOf(many, KNOWN).length).toBeLessThanOrEqual(5_000);
  expect(rowsOf("no data set", KNOWN)).toEqual([]);
});
