// What is typed beside photographs and PDFs. Pure.

import type { WrapForm } from "../api/wrapping";

const DAY = /^\d{8}$/;

/** Whether the node will take it: a name, a number and a day; a day of birth, if any, is one. */
export function isComplete(form: WrapForm): boolean {
  const isBorn = form.patient_birth_date === "" || DAY.test(form.patient_birth_date);
  return form.patient_name !== "" && form.patient_id !== "" && isBorn && DAY.test(form.study_date);
}
