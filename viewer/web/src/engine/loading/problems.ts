// Why a picture cannot be shown: the one table from what the node answers to a kind that has words.

/** Each is a key of the language files (reading:frameProblem.*). */
export type FrameProblemKind =
  | "signedOut"
  | "denied"
  | "missing"
  | "unreachable"
  | "damaged"
  | "syntax"
  | "samples"
  | "palette"
  | "noPixels"
  | "tooLarge"
  | "lost"
  | "unreadable";

export class FrameProblem extends Error {
  readonly kind: FrameProblemKind;

  constructor(kind: FrameProblemKind) {
    super(`frame ${kind}`);
    this.kind = kind;
  }
}

/** By the code of the node's error (application/problem+json). */
const KIND_BY_CODE: ReadonlyMap<unknown, FrameProblemKind> = new Map<unknown, FrameProblemKind>([
  ["MalformedInstance", "damaged"],
  ["UnsupportedTransferSyntax", "syntax"],
  // The stored form is not one that can be decoded into what was asked for.
  ["NotAcceptable", "syntax"],
  ["NoPixelData", "noPixels"],
  ["LimitExceeded", "tooLarge"],
  ["BlobMissing", "lost"],
  ["DigestMismatch", "lost"],
]);

/** Where nothing tells more, as of a proxy on the way. */
const KIND_BY_STATUS: Readonly<Record<number, FrameProblemKind>> = {
  401: "signedOut",
  403: "denied",
  404: "missing",
  406: "unreadable",
  410: "missing",
  413: "tooLarge",
  415: "unreadable",
};

/** Why the node refused; "unreachable" where asking again may help. */
export async function refusalOf(response: Response): Promise<FrameProblemKind> {
  const told = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  const problem: unknown = told ? await response.json().catch(() => undefined) : undefined;
  const code = typeof problem === "object" && problem && "code" in problem ? problem.code : undefined;
  return KIND_BY_CODE.get(code) ?? KIND_BY_STATUS[response.status] ?? "unreachable";
}

/** What a fault of decoding means; one of the browser's own tells that there is no memory for it. */
export function faultOf(error: unknown): FrameProblem {
  if (error instanceof FrameProblem) return error;
  return new FrameProblem(
    error instanceof RangeError && /alloc|array length/i.test(error.message) ? "tooLarge" : "unreadable",
  );
}

const PASSING: ReadonlySet<FrameProblemKind> = new Set(["signedOut", "denied", "missing", "unreachable"]);

/** Whether it lies in the image itself, or in the form that was asked for. */
export function isOfImage(kind: FrameProblemKind): boolean {
  return !PASSING.has(kind);
}

/** Whether the node has no such form of the image: nor, then, of the others of its series. */
export function isOfForm(kind: FrameProblemKind): boolean {
  return kind === "syntax" || kind === "unreadable";
}
