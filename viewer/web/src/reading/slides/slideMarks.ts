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
import { areApart, changesOf, laidOver, readChanges, together, written } from "../drafts/changes";
import { Draft } from "../drafts/draft";
import { Keeping } from "../findings/keeping";
import { leaveMarks, takeMarks } from "./leftMarks";
import { SharedMarks } from "./sharedMarks";
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
  private readonly shared: SharedMarks;
  private readonly key: string;
  private readonly stop: () => void;
  private kept: readonly Mark[] = [];

  constructor(study: StudyKey, seriesInstanceUid: string, { view, marks }: Bench, account: string) {
    this.marks = marks;
    this.key = JSON.stringify([account, study, seriesInstanceUid]);
    this.shared = new SharedMarks(this.key, {
      isSame,
      unsaved: () => this.changes(),
      become: (all) => this.become(all),
      onSaved: (instance) => {
        if (instance !== this.keeping?.state.get().instance) void this.keeping?.open();
      },
    });
    marks.replace(takeMarks(this.key));
    this.draft = new Draft(study, `slide-${seriesInstanceUid}`, {
      written: () => written(this.changes()),
      lay: (content) => this.lay(content),
      drop: () => this.drop(),
      merges: true,
    });
    this.stop = marks.list.subscribe(() => this.compare());
    this.compare();
    const placement = placementOf(view.slide);
    this.keeping = placement && this.keepingOn(placement, study, seriesInstanceUid);
    this.shared.opened(marks.list.get());
    if (this.keeping) void this.keeping.open();
    else void this.draft.open();
  }

  /** Have what is kept again, and nothing else. */
  drop(): void {
    this.marks.replace(this.kept);
  }

  /** The room is left without what is not kept; another window that has the slide still has it, and so does the draft. */
  letGo(): void {
    if (!this.shared.isElsewhere()) this.drop();
  }

  /** The slide goes from the screen: what is not kept waits for it in this tab, or is in another window. */
  end(): void {
    if (this.unsaved.get() && !this.shared.isElsewhere()) leaveMarks(this.key, this.marks.list.get());
    this.stop();
    this.shared.end();
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
        this.stand(fromKept(placement, told.marks));
        void this.draft.open();
      },
      onSaved: (instance) => {
        this.kept = sent;
        this.compare();
        this.shared.saved(instance);
      },
      meet: (told) => {
        const theirs = fromKept(placement, told.marks);
        if (areApart(this.changes(), changesOf(this.kept, theirs, isSame), isSame)) return false;
        this.stand(theirs);
        return true;
      },
    });
  }

  /** This is saved now; what was drawn while the answer was on its way, or before somebody else saved, stays. */
  private stand(kept: readonly Mark[]): void {
    const all = laidOver(kept, this.changes(), isSame);
    this.kept = kept;
    this.shared.opened(all);
    this.become(all);
  }

  /** A draft of another window, or of an earlier one: what was taken away since does not come back. */
  private lay(content: string): void {
    const theirs = readChanges<Mark>(content);
    if (!theirs) return;
    const put = theirs.put.filter(({ uid }) => !this.shared.isGone(uid));
    this.marks.replace(laidOver(this.kept, together(this.changes(), { ...theirs, put }), isSame));
  }

  /** Have these, and what is chosen stay so where it is still there. */
  private become(all: readonly Mark[]): void {
    const chosen = this.marks.selected.get();
    this.marks.replace(all);
    if (all.some(({ uid }) => uid === chosen)) this.marks.select(chosen);
  }

  private changes() {
    return changesOf(this.kept, this.marks.list.get(), isSame);
  }

  /** Marks are never changed, only replaced. */
  private compare(): void {
    const now = this.marks.list.get();
    this.unsaved.set(now.length !== this.kept.length || now.some((mark, index) => mark !== this.kept[index]));
    this.draft.note();
    this.shared.note(now);
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
      for (const one of open) one.letGo();
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
