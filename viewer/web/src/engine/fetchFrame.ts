// Fetching one frame over DICOMweb: retries what a bad line breaks, says plainly what it cannot get.

import { type FramePart, frameIn } from "./multipart";

/** Why a frame could not be had; each is a key of the language files (reading:frameProblem.*). */
export type FrameProblemKind = "signedOut" | "denied" | "missing" | "unreachable" | "unreadable";

export class FrameProblem extends Error {
  readonly kind: FrameProblemKind;

  constructor(kind: FrameProblemKind) {
    super(`frame ${kind}`);
    this.kind = kind;
  }
}

const ACCEPT = "multipart/related; type=application/octet-stream; transfer-syntax=*";
const RETRY_WAITS_MS: readonly number[] = [500, 1500, 4000];

const KIND_BY_STATUS: Readonly<Record<number, FrameProblemKind>> = {
  401: "signedOut",
  403: "denied",
  404: "missing",
  406: "unreadable",
  410: "missing",
  415: "unreadable",
};

async function attempt(url: string, signal: AbortSignal): Promise<FramePart> {
  const response = await fetch(url, { headers: { Accept: ACCEPT }, credentials: "same-origin", signal });
  if (!response.ok) throw new FrameProblem(KIND_BY_STATUS[response.status] ?? "unreachable");
  const body = new Uint8Array(await response.arrayBuffer());
  const part = frameIn(body, response.headers.get("Content-Type") ?? "");
  if (!part || part.bytes.length === 0) throw new FrameProblem("unreadable");
  return part;
}

/** Whether to try again: only when the line or the server failed, not when the server said no. */
function isPassing(problem: unknown): boolean {
  return !(problem instanceof FrameProblem) || problem.kind === "unreachable";
}

/**
 * The frame's bytes and transfer syntax.
 *
 * Throws FrameProblem after the last retry, or the signal's reason when aborted.
 */
export async function fetchFrame(
  url: string,
  signal: AbortSignal,
  wait: (ms: number) => Promise<void>,
): Promise<FramePart> {
  for (const waitMs of [...RETRY_WAITS_MS, undefined]) {
    try {
      return await attempt(url, signal);
    } catch (problem) {
      signal.throwIfAborted();
      if (!isPassing(problem)) throw problem;
      if (waitMs === undefined) throw new FrameProblem("unreachable");
      await wait(waitMs);
    }
  }
  throw new FrameProblem("unreachable");
}
