// The draft of a slide's marks: in pixels of the Total Pixel Matrix, so that slides that say nothing of their place on
// the glass have one, too.

import type { StudyKey } from "../../api/queries";
import type { Mark, Marks } from "../../engine/slides/marks";
import { changesOf, laidOver, readChanges, together, written } from "../drafts/changes";
import { Draft } from "../drafts/draft";

/** Nearer than this is the same place: millimetres are kept in single precision, pixels. */
const SAME_PX = 0.5;

export function draftOfSlide(study: StudyKey, seriesInstanceUid: string, marks: Marks, saved: () => readonly Mark[]) {
  const changes = () => changesOf(saved(), marks.list.get(), isSame);
  return new Draft(study, `slide-${seriesInstanceUid}`, {
    written: () => written(changes()),
    lay: (content) => {
      const theirs = readChanges<Mark>(content);
      if (theirs) marks.replace(laidOver(saved(), together(changes(), theirs), isSame));
    },
    drop: () => marks.replace(saved()),
  });
}

function isSame(one: Mark, other: Mark): boolean {
  if (one.kind !== other.kind || one.text.trim() !== other.text.trim()) return false;
  if (one.points.length !== other.points.length) return false;
  return one.points.every(({ x, y }, index) => {
    const there = other.points[index];
    return there !== undefined && Math.abs(x - there.x) <= SAME_PX && Math.abs(y - there.y) <= SAME_PX;
  });
}
