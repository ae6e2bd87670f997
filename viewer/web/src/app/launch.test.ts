// @vitest-environment happy-dom

import { afterEach, expect, test } from "vitest";
import { launched, linkSecret, parseLaunch, takeFromAddress } from "./launch";

const NOTHING = { studyInstanceUID: "", accessionNumber: "", patientID: "" };

afterEach(() => history.replaceState(null, "", "/"));

test.each([
  ["?requestType=STUDY&studyUID=1.2.3", { ...NOTHING, studyInstanceUID: "1.2.3" }],
  ["?requestType=STUDY&accessionNumber=A%201", { ...NOTHING, accessionNumber: "A 1" }],
  ["?requestType=PATIENT&patientID=BN7%5E%5E%5EBV1", { ...NOTHING, patientID: "BN7" }],
  ["?mrn=BN7&Accession=A1", { ...NOTHING, patientID: "BN7", accessionNumber: "A1" }],
  ["?studyUID=1.2.3&mrn=BN7", { ...NOTHING, studyInstanceUID: "1.2.3" }],
])("%s names a study", (search, wanted) => {
  expect(parseLaunch(search)).toEqual(wanted);
});

test.each(["", "?requestType=STUDY", "?mrn=", "?x=1"])("%s names none", (search) => {
  expect(parseLaunch(search)).toBeUndefined();
});

test("the address of the profile is that of a launch", () => {
  history.replaceState(null, "", "/IHEInvokeImageDisplay?requestType=PATIENT&patientID=BN8");
  takeFromAddress();
  expect([location.pathname, location.search]).toEqual(["/launch", ""]);
  expect(launched()?.patientID).toBe("BN8");
});

test("a launch and a link's secret leave the address at once", () => {
  history.replaceState(null, "", "/launch?mrn=BN7");
  takeFromAddress();
  expect(location.href).not.toContain("BN7");
  expect(launched()?.patientID).toBe("BN7");

  history.replaceState(null, "", "/shared#abc.def");
  takeFromAddress();
  expect(location.href).not.toContain("def");
  expect(linkSecret()).toBe("abc.def");
});

test("other addresses stay as they are", () => {
  history.replaceState(null, "", "/study/1.2.3?site=A");
  takeFromAddress();
  expect(location.search).toBe("?site=A");
});
