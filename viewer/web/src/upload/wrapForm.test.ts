import { expect, test } from "vitest";
import type { WrapForm } from "../api/wrapping";
import { isComplete } from "./wrapForm";

const FORM: WrapForm = {
  patient_name: "Nguyễn Hương",
  patient_id: "BN-1",
  patient_birth_date: "",
  patient_sex: "",
  study_date: "20261122",
  description: "",
  accession_number: "",
};

test("a name, a number and a day are enough", () => {
  expect(isComplete(FORM)).toBe(true);
});

test.each(["patient_name", "patient_id", "study_date"] as const)("without %s it is not complete", (name) => {
  expect(isComplete({ ...FORM, [name]: "" })).toBe(false);
});

test("what is no day of birth is not passed on", () => {
  expect(isComplete({ ...FORM, patient_birth_date: "31/02/1970" })).toBe(false);
  expect(isComplete({ ...FORM, patient_birth_date: "19700228" })).toBe(true);
});
