// What is typed beside photographs and PDFs. Pure.

import type { WrapForm } from "../api/wrapping";

/** A day as DICOM writes it, where this computer is. */
export function dicomDay(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
}

/** Whether the node will take it: a name, a number and a day. */
export function isComplete(form: WrapForm): boolean {
  return form.patient_name !== "" && form.patient_id !== "" && /^\d{8}$/.test(form.study_date);
}
