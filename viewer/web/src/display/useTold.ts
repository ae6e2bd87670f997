// Something that is done at the node about displays, and whether it failed.

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { displaysQuery } from "../api/displays";
import type { Result } from "../api/result";

/** Do something at the node, then ask anew; tells whether it failed. */
export function useTold(): { failed: boolean; tell: <T>(asked: Promise<Result<T>>) => Promise<Result<T>> } {
  const questions = useQueryClient();
  const [failed, setFailed] = useState(false);
  const tell = async <T>(asked: Promise<Result<T>>) => {
    const result = await asked;
    setFailed(!result.ok);
    await questions.invalidateQueries({ queryKey: displaysQuery.queryKey });
    return result;
  };
  return { failed, tell };
}
