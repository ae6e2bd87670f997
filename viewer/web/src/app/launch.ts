// What another program asks to see by an address: IHE Invoke Image Display, and the names that hospital systems use.
// The address may name a patient, so it is taken off the screen and out of the history before anything else happens.

import type { Launch } from "../api/types";

/** The address that the profile gives (IHE RAD TF-2, RAD-106). */
const IID = "/IHEInvokeImageDisplay";

const NAMES: Readonly<Record<string, keyof Launch>> = {
  studyuid: "studyInstanceUID",
  studyinstanceuid: "studyInstanceUID",
  accessionnumber: "accessionNumber",
  accession: "accessionNumber",
  patientid: "patientID",
  mrn: "patientID",
};

/** Read an address; undefined when it names no study. The PACS part of `A^^^issuer` of IHE IID is not asked for. */
export function parseLaunch(search: string): Launch | undefined {
  const wanted = { studyInstanceUID: "", accessionNumber: "", patientID: "" };
  for (const [name, value] of new URLSearchParams(search)) {
    const known = NAMES[name.toLowerCase()];
    if (known && !wanted[known]) wanted[known] = (value.split("^")[0] ?? "").trim().slice(0, 64);
  }
  // A UID names one study; what else was said is about the same one.
  if (wanted.studyInstanceUID) return { ...wanted, accessionNumber: "", patientID: "" };
  return wanted.accessionNumber || wanted.patientID ? wanted : undefined;
}

let waiting: Launch | undefined;
let secret = "";

/** Take what the page was opened with off its address: a launch, or the secret of a link. */
export function takeFromAddress(): void {
  const isLaunch = location.pathname === "/launch" || location.pathname === IID;
  if (isLaunch) waiting = parseLaunch(location.search);
  else if (location.pathname === "/shared") secret = location.hash.slice(1);
  else return;
  history.replaceState(null, "", isLaunch ? "/launch" : location.pathname);
}

export function launched(): Launch | undefined {
  return waiting;
}

export function linkSecret(): string {
  return secret;
}
