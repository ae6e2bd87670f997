// The marks of a study while it is in the room: on its images, in the book, at the node. No React.

import { studyUrl } from "../../api/dicomweb";
import { openMarks, saveMarks } from "../../api/marks";
import type { StudyKey } from "../../api/queries";
import type { StudyMark, StudyMarks } from "../../api/types";
import { createStore, type Store } from "../../engine/emitter";
import { type BookMark, isSame, MarkBook } from "../../engine/marks/markBook";
import { MarkMirror } from "../../engine/stack/markMirror";
import { isSecond } from "../beside/pair";
import { Shared } from "../beside/shared";
import { changesOf, laidOver, readChanges, together, written } from "../drafts/changes";
import { Draft } from "../drafts/draft";
import { Keeping } from "./keeping";

const NO_CHANGES = { put: [], removed: [] };

export class MarksOfStudy {
  readonly study: StudyKey;
  readonly book = new MarkBook();
  readonly keeping: Keeping<StudyMarks>;
  /** Whether something is drawn, moved or taken away that is not kept. */
  readonly unsaved: Store<boolean> = createStore(false);
  readonly draft: Draft;
  private readonly shared: Shared;
  private readonly mirror: MarkMirror;
  private kept: readonly BookMark[] = [];
  private sent: readonly BookMark[] = [];

  constructor(study: StudyKey) {
    this.study = study;
    this.mirror = new MarkMirror(this.book, studyUrl(study));
    const work = () => written(this.changes());
    this.shared = new Shared(study, "marks", {
      instance: () => this.keeping.state.get().instance,
      written: work,
      become: (content) => {
        const theirs = readChanges<BookMark>(content) ?? NO_CHANGES;
        this.book.replace(laidOver(this.kept, theirs, isSame));
      },
      reopen: () => void this.keeping.open(),
    });
    const ways = {
      written: work,
      lay: (content: string) => {
        const theirs = readChanges<BookMark>(content);
        if (theirs) this.book.replace(laidOver(this.kept, together(this.changes(), theirs), isSame));
      },
      drop: () => this.book.replace(this.kept),
    };
    this.draft = new Draft(study, "marks", ways, !isSecond());
    this.keeping = new Keeping<StudyMarks>({
      open: () => openMarks(study),
      save: (base) => {
        this.sent = this.book.list.get();
        return saveMarks(study, base, this.sent.map(asSent));
      },
      onOpened: ({ marks }) => {
        this.kept = marks;
        this.book.open(marks);
        this.compare();
        this.shared.opened();
        void this.draft.open();
      },
      onSaved: () => {
        this.kept = this.sent;
        this.compare();
      },
    });
    this.book.list.subscribe(() => this.compare());
    void this.keeping.open();
  }

  end(): void {
    this.keeping.end();
    this.draft.end();
    this.shared.end();
    this.mirror.destroy();
  }

  private changes() {
    return changesOf(this.kept, this.book.list.get(), isSame);
  }

  /** Marks are never changed, only replaced. */
  private compare(): void {
    const now = this.book.list.get();
    this.unsaved.set(now.length !== this.kept.length || now.some((mark, index) => mark !== this.kept[index]));
    this.draft.note();
    this.shared.note();
  }
}

function asSent({ points, figures, ...mark }: BookMark): StudyMark {
  return { ...mark, points: points.map(([column, row]) => [column, row]), figures: [...figures] };
}
