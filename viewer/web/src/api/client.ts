// Talking to the node: same-origin requests with the session's cookie, the CSRF header on unsafe methods, ETags.

import { failed, type ProblemKind, type Result } from "./result";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface RequestOptions {
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** It goes out even when the page is left meanwhile; 64 KiB at most. */
  readonly keepalive?: boolean;
}

/** Answers kept for If-None-Match, so that polling a quiet worklist costs one small answer. */
const KEPT_MAX = 50;
const kept = new Map<string, { readonly etag: string; readonly value: unknown }>();

let csrf = "";

/** The value that the session gave out; sent with every unsafe request. */
export function setCsrf(value: string): void {
  csrf = value;
}

/** What an unsafe request that is not made here must carry. */
export function csrfHeader(): readonly [name: string, value: string] {
  return ["X-Vienanh-CSRF", csrf];
}

/** Forget what the last person saw. */
export function forgetAnswers(): void {
  kept.clear();
}

const KIND_BY_STATUS: Readonly<Record<number, ProblemKind>> = {
  400: "invalid",
  401: "signedOut",
  403: "denied",
  404: "missing",
  409: "invalid",
  422: "invalid",
  429: "throttled",
};

function headersOf(method: Method, path: string, options: RequestOptions): Headers {
  const headers = new Headers({ Accept: "application/json" });
  if (options.body !== undefined) headers.set("Content-Type", "application/json");
  if (method !== "GET") headers.set(...csrfHeader());
  const known = method === "GET" ? kept.get(path) : undefined;
  if (known) headers.set("If-None-Match", known.etag);
  return headers;
}

function keep(path: string, etag: string | null, value: unknown): void {
  kept.delete(path);
  if (etag) kept.set(path, { etag, value });
  const oldest = kept.keys().next().value;
  if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest);
}

function problemOf(response: Response): Result<never> {
  const kind = KIND_BY_STATUS[response.status] ?? (response.status >= 500 ? "server" : "unexpected");
  const retryAfterS = Number(response.headers.get("Retry-After") ?? "");
  return failed(kind, response.status, Number.isFinite(retryAfterS) && retryAfterS > 0 ? retryAfterS : undefined);
}

async function read<T>(path: string, method: Method, response: Response): Promise<Result<T>> {
  if (response.status === 304) return { ok: true, value: kept.get(path)?.value as T };
  if (!response.ok) return problemOf(response);
  if (response.status === 204) return { ok: true, value: undefined as T };
  try {
    const value = (await response.json()) as T;
    if (method === "GET") keep(path, response.headers.get("ETag"), value);
    return { ok: true, value };
  } catch {
    return failed("unexpected", response.status);
  }
}

/**
 * Ask the node. Never throws: a failure is a value, a passing loss of the line is `offline`.
 *
 * `T` is what the description of the interface promises; `types.ts` is held to it by a contract test.
 */
export async function ask<T>(method: Method, path: string, options: RequestOptions = {}): Promise<Result<T>> {
  try {
    const response = await fetch(path, {
      method,
      headers: headersOf(method, path, options),
      credentials: "same-origin",
      cache: "no-store",
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.keepalive ? { keepalive: true } : {}),
    });
    return await read<T>(path, method, response);
  } catch {
    return failed("offline");
  }
}
