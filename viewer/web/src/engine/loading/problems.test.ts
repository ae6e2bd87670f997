import { expect, test } from "vitest";
import { FrameProblem, faultOf, isOfForm, isOfImage, refusalOf } from "./problems";

function answer(status: number, body: string, type = "application/problem+json"): Response {
  return new Response(body, { status, headers: { "Content-Type": type } });
}

test.each([
  [400, "MalformedInstance", "damaged"],
  [406, "UnsupportedTransferSyntax", "syntax"],
  [406, "NotAcceptable", "syntax"],
  [404, "NoPixelData", "noPixels"],
  [404, "NotFound", "missing"],
  [413, "LimitExceeded", "tooLarge"],
  [500, "BlobMissing", "lost"],
  [500, "DigestMismatch", "lost"],
  [401, "NotAuthenticated", "signedOut"],
  [403, "Forbidden", "denied"],
  [503, "Busy", "unreachable"],
] as const)("what the node answers %i %s to is %s", async (status, code, kind) => {
  expect(await refusalOf(answer(status, JSON.stringify({ code })))).toBe(kind);
});

test.each([
  ["no problem", 413, "{}", "text/html", "tooLarge"],
  ["a problem that is cut off", 406, '{"code":', "application/problem+json", "unreadable"],
  ["a problem of another shape", 500, "null", "application/problem+json", "unreachable"],
])("the status tells where the answer has %s", async (_, status, body, type, kind) => {
  expect(await refusalOf(answer(status, body, type))).toBe(kind);
});

test("what fails in the browser is said as what it is", () => {
  expect(faultOf(new FrameProblem("samples")).kind).toBe("samples");
  expect(faultOf(new RangeError("Array buffer allocation failed")).kind).toBe("tooLarge");
  expect(faultOf(new RangeError("offset is out of bounds")).kind).toBe("unreadable");
  expect(faultOf(new Error("decoder")).kind).toBe("unreadable");
});

test("a frame without steps is asked for whole, one that the line did not bring is not", () => {
  expect([isOfImage("syntax"), isOfImage("unreadable"), isOfImage("unreachable"), isOfImage("denied")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("only what the node has in no such form is taken for all of a series", () => {
  expect((["syntax", "unreadable", "damaged", "lost", "tooLarge", "missing"] as const).filter(isOfForm)).toEqual([
    "syntax",
    "unreadable",
  ]);
});
