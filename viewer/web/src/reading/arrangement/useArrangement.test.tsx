// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, renderHook } from "@testing-library/react";
import { type ReactNode, useState } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { priorsQuery, studyQuery } from "../../api/queries";
import type { Series, Study } from "../../api/types";
import type { Stack } from "../../engine/frames/stacks";
import { stackNamed } from "../stepSeries";
import { useArrangement } from "./useArrangement";

const STUDY = { studyInstanceUid: "1", site: undefined };
const THERE: Partial<Study> = {
  studyInstanceUID: "1",
  studyDescription: "CT nao",
  bodyPart: "HEAD",
  modalities: ["CT"],
};
const [PLAIN, FILMS] = ["plain", "films"].map(
  (seriesInstanceUID) => ({ seriesInstanceUID, modality: "CT", description: "", bodyPart: "", instances: 3 }) as Series,
) as [Series, Series];
const STACKS: Readonly<Record<string, readonly Stack[]>> = {
  plain: [{ id: "slices", frames: [], warnings: [], cine: false }],
  films: ["1", "2", "3"].map((id) => ({ id, frames: [], warnings: [], cine: true })),
};

/** A room as the page has it: what stands in its strip, and its panes. */
function aRoom(series: readonly Series[], listed?: Study) {
  const questions = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  if (listed) questions.setQueryData(studyQuery(STUDY).queryKey, listed);
  questions.setQueryData(priorsQuery(STUDY).queryKey, []);
  const wrapper = ({ children }: { readonly children: ReactNode }) => (
    <QueryClientProvider client={questions}>{children}</QueryClientProvider>
  );
  const { result, rerender } = renderHook(
    ({ all }) => {
      const [place, go] = useState<{ readonly uid?: string; readonly id: string | undefined }>({ id: undefined });
      const current = all.find(({ seriesInstanceUID }) => seriesInstanceUID === place.uid) ?? (all[0] as Series);
      const { seriesInstanceUID: uid } = current;
      const stack = stackNamed(STACKS[uid] ?? [], place.id);
      const onStack = (id: string | undefined, of = uid) => go({ uid: of, id });
      return {
        onStack,
        strip: [uid, stack?.id],
        ...useArrangement({ study: STUDY, series: all, current, stack, onStack }),
      };
    },
    { wrapper, initialProps: { all: series } },
  );
  return {
    strip: () => result.current.strip,
    does: (what: (room: typeof result.current) => void) => act(() => what(result.current)),
    arrives: (all: readonly Series[]) => act(() => rerender({ all })),
    /** What the pane shows that is worked in; without a name its first stack. */
    pane: () => {
      const { active, panes } = result.current.arrangement;
      const uid = panes[active]?.seriesInstanceUid ?? "";
      return [uid, stackNamed(STACKS[uid] ?? [], panes[active]?.stackId)?.id];
    },
    panes: () => result.current.arrangement.panes,
  };
}

beforeEach(() => {
  vi.stubGlobal("fetch", () => new Promise(() => undefined));
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("strip, tools and keys go over to the film of the pane that one works in, though its series is the same", () => {
  const room = aRoom([FILMS]);
  room.does(({ onStack }) => onStack("3"));
  room.does(({ onLayout }) => onLayout(2));
  expect([room.strip(), room.pane()]).toEqual([
    ["films", "3"],
    ["films", "3"],
  ]);

  room.does(({ onActivate }) => onActivate(1));
  expect([room.strip(), room.pane()]).toEqual([
    ["films", "1"],
    ["films", "1"],
  ]);

  room.does(({ onActivate }) => onActivate(0));
  expect([room.strip(), room.pane()]).toEqual([
    ["films", "3"],
    ["films", "3"],
  ]);
});

test("another layout is worked in at its first pane, and the strip says so", () => {
  const room = aRoom([PLAIN, FILMS]);
  room.does(({ onLayout }) => onLayout(2));
  room.does(({ onActivate }) => onActivate(1));
  expect(room.strip()).toEqual(["films", "1"]);

  room.does(({ onLayout }) => onLayout(4));

  expect([room.strip(), room.pane()]).toEqual([
    ["plain", "slices"],
    ["plain", "slices"],
  ]);
});

test("a study that is hung anew while its last series arrive keeps the film that one looks at", () => {
  const room = aRoom([FILMS], THERE as Study);
  room.does(({ onStack }) => onStack("2"));
  expect(room.panes()).toHaveLength(2);

  room.arrives([FILMS, PLAIN]);

  expect(room.panes().map(({ preset, stackId }) => [preset, stackId])).toEqual([
    ["brain", "2"],
    ["bone", undefined],
  ]);
  expect([room.strip(), room.pane()]).toEqual([
    ["films", "2"],
    ["films", "2"],
  ]);
});
