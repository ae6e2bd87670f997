// What a person drew and did not save, as the node keeps it with the account; and the key for keeping it in the browser.

import { ask } from "./client";
import { addressAt, type StudyKey } from "./queries";
import type { Result } from "./result";
import type { DraftItem, DraftKey } from "./types";

/** Of a study: the marks on its images, its key images, or one slide ("slide-" and its Series Instance UID). */
export type Part = "marks" | "key-images" | `slide-${string}`;

/** So long a draft waits for the node, before it is tried again. */
const WAIT_MS = 10_000;

function addressOf(study: StudyKey, part: Part): string {
  const path = addressAt(study, `/api/studies/${study.studyInstanceUid}/draft`);
  return `${path}${path.includes("?") ? "&" : "?"}${new URLSearchParams({ part })}`;
}

export function openDraft(study: StudyKey, part: Part): Promise<Result<DraftItem>> {
  return ask<DraftItem>("GET", addressOf(study, part), { signal: AbortSignal.timeout(WAIT_MS) });
}

/** `version`: that of the draft that this one goes on from; the node refuses when another window was faster. */
export function keepDraft(study: StudyKey, part: Part, version: number, content: string): Promise<Result<DraftItem>> {
  const options = { body: { version, content }, signal: AbortSignal.timeout(WAIT_MS) };
  return ask<DraftItem>("PUT", addressOf(study, part), options);
}

/** What drafts are sealed with, and what hides their names; neither can be read out of the browser. */
export interface DraftKeys {
  readonly seal: CryptoKey;
  readonly name: CryptoKey;
}

let keys: Promise<DraftKeys | undefined> | undefined;

/** The keys of who is signed in; undefined where the node gives none, or the browser cannot seal (plain HTTP). */
export function draftKeys(): Promise<DraftKeys | undefined> {
  const asked = keys ?? askForKeys();
  keys = asked;
  void asked.then((got) => {
    if (!got && keys === asked) keys = undefined;
  });
  return asked;
}

/** Nobody is signed in any more. */
export function forgetDraftKeys(): void {
  keys = undefined;
}

async function askForKeys(): Promise<DraftKeys | undefined> {
  if (!globalThis.crypto?.subtle) return undefined;
  const result = await ask<DraftKey>("GET", "/api/session/draft-key", { signal: AbortSignal.timeout(WAIT_MS) });
  if (!result.ok) return undefined;
  const secret = Uint8Array.from(atob(result.value.key.replaceAll("-", "+").replaceAll("_", "/")), (one) =>
    one.charCodeAt(0),
  );
  return deriveKeys(secret);
}

/** Two keys of one secret (HKDF, RFC 5869). */
async function deriveKeys(secret: Uint8Array<ArrayBuffer>): Promise<DraftKeys> {
  const { subtle } = crypto;
  const root = await subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const of = (info: string) => ({
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(),
    info: new TextEncoder().encode(info),
  });
  const [seal, name] = await Promise.all([
    subtle.deriveKey(of("seal"), root, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
    subtle.deriveKey(of("name"), root, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"]),
  ]);
  return { seal, name };
}
