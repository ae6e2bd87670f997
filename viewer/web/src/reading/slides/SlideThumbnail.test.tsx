// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Series } from "../../api/types";
import { aSlide } from "../../engine/slides/slide.fixture";
import type { Drawing } from "../../engine/slides/thumbnail";
import { startWords } from "../../i18n";
import { SlideThumbnail } from "./SlideThumbnail";

const node = vi.hoisted(() => ({ answers: [] as Drawing[], asked: 0 }));
const SLIDE = aSlide();
vi.mock("../../engine/slides/thumbnail", () => ({
  drawThumbnail: async () => {
    node.asked += 1;
    return node.answers.shift();
  },
}));
vi.mock("./useSlide", () => ({ useSlide: () => ({ slide: SLIDE }) }));

async function theStrip(): Promise<() => void> {
  const study = { studyInstanceUid: "1", site: undefined };
  const { unmount } = render(<SlideThumbnail study={study} series={{ seriesInstanceUID: "1.2" } as Series} />);
  await passes(0);
  return unmount;
}
const passes = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const missing = () => screen.queryByRole("img", { name: "No thumbnail" }) !== null;

beforeEach(async () => {
  await startWords("en");
  vi.useFakeTimers();
  node.asked = 0;
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

test("a slide that the node still makes ready has its small picture when it is, without a reload", async () => {
  node.answers = ["later", "later", "drawn"];
  await theStrip();
  expect(missing()).toBe(true);

  await passes(60_000);

  expect([missing(), node.asked]).toEqual([false, 3]);
});

test("one that has none is not asked again, nor one that is not looked at any more", async () => {
  node.answers = ["none", "later"];
  const leave = await theStrip();
  await passes(60_000);
  expect([missing(), node.asked]).toEqual([true, 1]);
  leave();

  const leaveTheOther = await theStrip();
  leaveTheOther();
  await passes(60_000);

  expect(node.asked).toBe(2);
});
