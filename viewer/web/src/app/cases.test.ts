import { expect, test } from "vitest";
import type { Study } from "../api/types";
import { caseBeside } from "./cases";

const studies = ["a", "b", "b"].map((studyInstanceUID, at) => ({ studyInstanceUID, site: `S${at}` }) as Study);

test("the case after and before, none beyond the ends or for a study that is not listed", () => {
  expect(caseBeside(studies, { studyInstanceUid: "a", site: "S0" }, 1)?.site).toBe("S1");
  expect(caseBeside(studies, { studyInstanceUid: "b", site: "S2" }, -1)?.site).toBe("S1");
  expect(caseBeside(studies, { studyInstanceUid: "a", site: undefined }, -1)).toBeUndefined();
  expect(caseBeside(studies, { studyInstanceUid: "z", site: undefined }, 1)).toBeUndefined();
});
