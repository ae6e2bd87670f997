// The marks of a slide while it is on the screen: as they are drawn, as the node has them, and the draft between. They are
// in pixels of the Total Pixel Matrix, so that slides that say nothing of their place on the glass have a draft, too.
// No React.

import { openAnnotations, saveAnnotations } from "../../api/annotations";
import type { StudyKey } from "../../api/queries";
import type { SlideAnnotations } from "../../api/types";
import { createStore, type Store } from "../../engine/emitter";
import { type Placement, placementOf } from "../../engine/slides/geometry";
import { fromKept, toKept } from "../../engine/slides/keptMarks";
import type { Mark, Marks } from "../../engine/slides/marks";
import type { Unsaved } from "../../ui/leaving";
import { changesOf, laidOver, readChanges, together, written } from "../drafts/changes";
import { Draft } from "../drafts/draft";
import { Keeping } from "../findings/keeping";
import { leaveMarks, takeMarks } from "./leftMarks";
import type { Bench } from "./useSlideView";

/** Nearer than this is the same place: millimetres are kept in single precision, pixels. */
const SAME_PX = 0.5;

export class MarksOfSlide {
  /** Undefined where the slide does not say where it lies on the glass: then its marks cannot be kept. */
  readonly keeping: Keeping<SlideAnnotations> | undefined;
  /** Whether something is drawn, or taken away, that is not kept. */
  readonly unsaved: Store<boolean> = createStore(false);
  readonly draft: Draft;
  private readonly marks: Marks;
  private readonly key: string;
  private readonly stop: () => void;
  private kept: readonly Mark[] = [];

  constructor(study: StudyKey, seriesInstanceUid: string, { view, marks }: Bench, account: string) {
    this.marks = marks;
    this.key = JSON.stringify([account, study, seriesInstanceUid]);
    marks.replace(takeMarks(this.key));
    this.draft = new Draft(study, `slide-${seriesInstanceUid}`, {
      written: () => written(this.changes()),
      lay: (content) => {
        const theirs = readChanges<Mark>(content);
        if (theirs) marks.replace(laidOver(this.kept, together(this.changes(), theirs), isSame));
      },
      drop: () => this.drop(),
    });
    this.stop = marks.list.subscribe(() => this.compare());
    this.compare();
    const placement = placementOf(view.slide);
    this.keeping = placement && this.keepingOn(placement, study, seriesInstanceUid);
    if (this.keeping) void this.keeping.open();
    else void this.draft.open();
  }

  /** Have what is kept again, and nothing else. */
  drop(): void {
    this.marks.replace(this.kept);
  }

  /** The slide goes from the screen: what is not kept waits for it in this tab. */
  end(): void {
    if (this.unsaved.get()) leaveMarks(this.key, this.marks.list.get());
    this.stop();
    this.keeping?.end();
    this.draft.end();
  }

  private keepingOn(placement: Placement, study: StudyKey, seriesInstanceUid: string): Keeping<SlideAnnotations> {
    let sent: readonly Mark[] = [];
    return new Keeping<SlideAnnotations>({
      open: () => openAnnotations(study, seriesInstanceUid),
      save: (base) => {
        sent = this.marks.list.get();
        return saveAnnotations(study, seriesInstanceUid, base, toKept(placement, sent));
      },
      onOpened: (told) => {
        // What was drawn while the answer was on its way, or before somebody else saved, stays.
        const drawn = this.changes();
        this.kept = fromKept(placement, told.marks);
        this.marks.replace(laidOver(this.kept, drawn, isSame));
        void this.draft.open();
      },
      onSaved: () => {
        this.kept = sent;
        this.compare();
      },
    });
  }

  private changes() {
    return changesOf(this.kept, this.marks.list.get(), isSame);
  }

  /** Marks are never changed, only replaced. */
  private compare(): void {
    const now = this.marks.list.get();
    this.unsaved.set(now.length !== this.kept.length || now.some((mark, index) => mark !== this.kept[index]));
    this.draft.note();
  }
}

/** What would be lost of slides whose room one leaves. */
export function unsavedOf(slides: readonly (MarksOfSlide | undefined)[]): Unsaved | undefined {
  const open = slides.filter((one) => one?.unsaved.get()).filter((one) => one !== undefined);
  if (open.length === 0) return undefined;
  const saveAll = async () => {
    for (const one of open) {
      await one.keeping?.save();
      if (one.unsaved.get()) return false;
    }
    return true;
  };
  return {
    what: "marks",
    save: open.every(({ keeping }) => keeping) ? saveAll : undefined,
    drop: () => {
      for (const one of open) one.drop();
    },
  };
}

function isSame(one: Mark, other: Mark): boolean {
  if (one.kind !== other.kind || one.text.trim() !== other.text.trim()) return false;
  if (one.points.length !== other.points.length) return false;
  return one.points.every(({ x, y }, index) => {
    const there = other.points[index];
    return there !== undefined && Math.abs(x - there.x) <= SAME_PX && Math.abs(y - there.y) <= SAME_PX;
  });
}
