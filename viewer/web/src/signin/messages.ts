// What a failed attempt says, counting down while the door is shut.

import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Problem } from "../api/result";

/** Whole seconds left of `forS`, counted from the moment `start` changed. */
function useCountdown(start: unknown, forS: number): number {
  const [left, setLeft] = useState(forS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt starts the count anew, even for the same wait
  useEffect(() => {
    setLeft(forS);
    const timer = setInterval(() => setLeft((seconds) => Math.max(0, seconds - 1)), 1000);
    return () => clearInterval(timer);
  }, [start, forS]);
  return left;
}

/** The message for a failed sign-in, or undefined when there is nothing to say (any more). */
export function useSignInMessage(problem: Problem | undefined): string | undefined {
  const { t } = useTranslation(["signin", "common"]);
  const wait = Math.ceil(problem?.retryAfterS ?? 0);
  const left = useCountdown(problem, wait);
  if (!problem) return undefined;
  if (problem.kind === "signedOut" || problem.kind === "denied" || problem.kind === "invalid") return t("signin:wrong");
  if (problem.kind !== "throttled") return t(`common:problem.${problem.kind}`);
  if (wait === 0) return t("signin:throttledUnknown");
  return left > 0 ? t("signin:throttled", { count: left }) : undefined;
}
