// @vitest-environment happy-dom
import { cleanup, render } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Study, Worklist } from "../api/types";
import { startWords } from "../i18n";
import { LiveRegion } from "./LiveRegion";

function worklist(...priorities: Study["priority"][]): Worklist {
  const studies = priorities.map(
    (priority, index) =>
      ({
        site: "MUONGKHE",
        studyInstanceUID: `2.25.${index}`,
        modalities: ["CT"],
        studyDescription: "",
        bodyPart: "HEAD",
        priority,
      }) as unknown as Study,
  );
  return { studies, more: false };
}

beforeEach(() => startWords("vi"));
afterEach(cleanup);

describe("the live region", () => {
  test("is silent at the first look, but the title counts", () => {
    const { container } = render(<LiveRegion worklist={worklist("stat")} question="all" />);

    expect(container.textContent).toBe("");
    expect(document.title).toBe("(1 STAT) Viễn Ảnh");
  });

  test("says aloud what has come as STAT", () => {
    const { container, rerender } = render(<LiveRegion worklist={worklist("routine")} question="all" />);

    rerender(<LiveRegion worklist={worklist("routine", "stat")} question="all" />);

    expect(container.textContent).toBe("Ca STAT mới: CT Đầu, MUONGKHE.");
  });

  test("takes another question's answer for no news", () => {
    const { container, rerender } = render(<LiveRegion worklist={worklist("routine")} question="all" />);

    rerender(<LiveRegion worklist={worklist("stat")} question="CT only" />);

    expect(container.textContent).toBe("");
  });
});
