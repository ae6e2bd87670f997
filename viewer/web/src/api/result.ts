// Errors as values at the border with the server.

/** What went wrong, in kinds that a screen can act on; each is a key of the language files (common:problem.*). */
export type ProblemKind =
  | "offline"
  | "signedOut"
  | "denied"
  | "throttled"
  | "missing"
  | "invalid"
  | "server"
  | "unexpected";

export interface Problem {
  readonly kind: ProblemKind;
  readonly status: number | undefined;
  /** Seconds to wait before asking again, when the server said so. */
  readonly retryAfterS: number | undefined;
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export function failed(kind: ProblemKind, status?: number, retryAfterS?: number): Result<never> {
  return { ok: false, problem: { kind, status, retryAfterS } };
}

/** For libraries that want an exception: carries the problem on. */
class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.kind);
    this.problem = problem;
  }
}

export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new ProblemError(result.problem);
  return result.value;
}

export function problemOf(error: unknown): Problem {
  return error instanceof ProblemError
    ? error.problem
    : { kind: "unexpected", status: undefined, retryAfterS: undefined };
}
