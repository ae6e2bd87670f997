// What readers leave behind, for the life of the reading page.

import { useEffect, useState } from "react";
import { Findings } from "./findings";

/** Undefined for the first moment. */
export function useFindings(): Findings | undefined {
  const [findings, setFindings] = useState<Findings>();
  useEffect(() => {
    const made = new Findings();
    setFindings(made);
    return () => made.end();
  }, []);
  return findings;
}
