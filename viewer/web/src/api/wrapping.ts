// Photographs and PDFs with a form: the node makes instances of them.

import { csrfHeader } from "./client";
import { readSent, type Sent } from "./uploads";

/** What a person types; the names are the node's. */
export interface WrapForm {
  readonly patient_name: string;
  readonly patient_id: string;
  readonly patient_birth_date: string;
  readonly patient_sex: string;
  readonly study_date: string;
  readonly description: string;
  readonly accession_number: string;
}

/** Send a form and its files. Never throws: `offline` is a passing loss of the line. */
export async function sendWrapped(form: WrapForm, files: readonly File[]): Promise<Sent> {
  const body = new FormData();
  body.append("form", new Blob([JSON.stringify(form)], { type: "application/json" }));
  // A file's own name may tell whose it is.
  for (const [index, file] of files.entries()) body.append("file", file, String(index + 1));
  try {
    const response = await fetch("/dicom-web/uploads", {
      method: "POST",
      body,
      headers: [["Accept", "application/json"], [...csrfHeader()]],
      credentials: "same-origin",
    });
    return readSent(await response.text());
  } catch {
    return { results: [], problem: "offline" };
  }
}
