import { expect, test } from "vitest";
import type { StackView } from "../../engine/stack/stackView";
import { captionOf } from "./captionOf";

/** What a view tells for its caption. */
function aView(presentation: object, samplesPerPixel = 1): StackView {
  const frame = { modality: "MG", imageId: "1", pixels: { samplesPerPixel } };
  return {
    currentFrame: () => frame,
    spotOf: () => undefined,
    stack: { get: () => ({ wanted: 0, count: 4 }) },
    drawn: { get: () => frame },
    look: { presentation: { get: () => presentation } },
  } as unknown as StackView;
}
const t = ((key: string) => key) as never;
const facts = (view: StackView) => captionOf(view, undefined, "en", t, t).lines;

test("a picture says how its greys were made: by a window and its function, or by the image's table", () => {
  const window = { center: 40, width: 400 };

  expect(facts(aView({ window: { ...window, function: "SIGMOID" } }))[0]).toContain("window · voiFunction.SIGMOID");
  expect(facts(aView({ window, byLookup: true }))[0]).toContain("byLookup");
  expect(facts(aView({ window }, 3))[0]).not.toContain("window");
});
