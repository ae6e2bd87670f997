// Notices that any answer said "sign in first", wherever it was asked.

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { problemOf } from "../api/result";

export function useSignedOut(onSignedOut: () => void): void {
  const questions = useQueryClient();
  const current = useRef(onSignedOut);
  useEffect(() => {
    current.current = onSignedOut;
  });
  useEffect(
    () =>
      questions.getQueryCache().subscribe((event) => {
        if (event.type !== "updated" || event.action.type !== "error") return;
        if (problemOf(event.action.error).kind === "signedOut") current.current();
      }),
    [questions],
  );
}
