// What the node answers under /api, and DICOMweb paths. Held to the server's OpenAPI description by a contract test.

export type Priority = "stat" | "urgent" | "routine";
type StudyState = "receiving" | "complete";

export interface Session {
  readonly name: string;
  readonly display: string;
  readonly roles: readonly string[];
  readonly csrf: string;
  /** The password is a one-time one and must be changed before anything else. */
  readonly mustChange: boolean;
}

export interface NodeInfo {
  readonly name: string;
  readonly role: "site" | "hub" | "both";
  readonly site: string;
  readonly version: string;
}

export interface Study {
  readonly site: string;
  readonly studyInstanceUID: string;
  readonly patientName: string;
  readonly patientID: string;
  readonly patientBirthDate: string;
  readonly patientSex: string;
  readonly studyDate: string;
  readonly studyTime: string;
  readonly modalities: readonly string[];
  readonly bodyPart: string;
  readonly studyDescription: string;
  readonly accessionNumber: string;
  readonly numberOfSeries: number;
  /** Instances that are here, and how many the sender says there are (null: it has not said). */
  readonly have: number;
  readonly expected: number | null;
  readonly state: StudyState;
  readonly priority: Priority;
  /** How the study is known to be complete; empty while it is not. */
  readonly evidence: string;
  readonly firstReceivedAt: string;
  readonly lastReceivedAt: string;
  readonly traceId: string;
}

export interface Worklist {
  readonly studies: readonly Study[];
  readonly more: boolean;
}

export interface Series {
  readonly seriesInstanceUID: string;
  readonly modality: string;
  readonly number: number | null;
  readonly description: string;
  readonly bodyPart: string;
  readonly instances: number;
}

export interface TraceEvent {
  readonly seq: number;
  readonly at: string;
  readonly name: string;
  readonly detail: Readonly<Record<string, unknown>>;
}
