// Fetching a frame, or a step of one, over DICOMweb: retries what a bad line breaks, says plainly what it cannot get.

import { type FramePart, frameIn } from "./multipart";
import { FrameProblem, refusalOf } from "./problems";
import type { Tier } from "./tiers";

const FRAME = "multipart/related; type=application/octet-stream; transfer-syntax=";
const OCTETS = "application/octet-stream";
const RETRY_WAITS_MS: readonly number[] = [500, 1500, 4000];

export interface Fetching {
  readonly signal: AbortSignal;
  readonly wait: (ms: number) => Promise<void>;
}

interface Fetched {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

type Headers = Readonly<Record<string, string>>;

async function attempt(url: string, headers: Headers, signal: AbortSignal): Promise<Fetched> {
  const response = await fetch(url, { headers, credentials: "same-origin", signal });
  if (!response.ok) throw new FrameProblem(await refusalOf(response));
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { bytes, contentType: response.headers.get("Content-Type") ?? "" };
}

/** Whether to try again: only when the line or the server failed, not when the server said no. */
function isPassing(problem: unknown): boolean {
  return !(problem instanceof FrameProblem) || problem.kind === "unreachable";
}

async function persistently(url: string, headers: Headers, { signal, wait }: Fetching): Promise<Fetched> {
  for (const waitMs of [...RETRY_WAITS_MS, undefined]) {
    try {
      return await attempt(url, headers, signal);
    } catch (problem) {
      signal.throwIfAborted();
      if (!isPassing(problem)) throw problem;
      if (waitMs === undefined) throw new FrameProblem("unreachable");
      await wait(waitMs);
    }
  }
  throw new FrameProblem("unreachable");
}

/**
 * The frame's bytes and transfer syntax: as it is stored, or in one that is asked for.
 *
 * Throws FrameProblem after the last retry, or the signal's reason when aborted.
 */
export async function fetchFrame(url: string, fetching: Fetching, transferSyntaxUid = "*"): Promise<FramePart> {
  const { bytes, contentType } = await persistently(url, { Accept: FRAME + transferSyntaxUid }, fetching);
  const part = frameIn(bytes, contentType);
  if (!part || part.bytes.length === 0) throw new FrameProblem("damaged");
  return part;
}

/** What a tier adds to the bytes of those below it; throws as `fetchFrame`, "unreadable" when the frame has no tiers. */
export async function fetchTier(url: string, tier: Tier, fetching: Fetching): Promise<Uint8Array> {
  const { bytes } = await persistently(`${url}/tiers/${tier}`, { Accept: OCTETS }, fetching);
  if (bytes.length === 0) throw new FrameProblem("unreadable");
  return bytes;
}

/** The first bytes of a value that the metadata only name, so many at most; throws as `fetchFrame`. */
export async function fetchValue(url: string, bytesMax: number, fetching: Fetching): Promise<Uint8Array> {
  const { bytes } = await persistently(url, { Accept: OCTETS, Range: `bytes=0-${bytesMax - 1}` }, fetching);
  return bytes.subarray(0, bytesMax);
}
