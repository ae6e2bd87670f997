// The marks of a study while it is in the room: on its images, in the book, at the node. No React.

import { studyUrl } from "../../api/dicomweb";
import { openMarks, saveMarks } from "../../api/marks";
import type { StudyKey } from "../../api/queries";
import type { StudyMark, StudyMarks } from "../../api/types";
import { createStore, type Store } from "../../engine/emitter";
import { type BookMark, MarkBook } from "../../engine/markBook";
import { MarkMirror } from "../../engine/markMirror";
import { Keeping } from "./keeping";

export class MarksOfStudy {
  readonly study: StudyKey;
  readonly book = new MarkBook();
  readonly keeping: Keeping<StudyMarks>;
  /** Whether something is drawn, moved or taken away that is not kept. */
  readonly unsaved: Store<boolean> = createStore(false);
  private readonly mirror: MarkMirror;
  private kept: readonly BookMark[] = [];
  private sent: readonly BookMark[] = [];

  constructor(study: StudyKey) {
    this.study = study;
    this.mirror = new MarkMirror(this.book, studyUrl(study));
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
    this.mirror.destroy();
  }

  /** Marks are never changed, only replaced. */
  private compare(): void {
    const now = this.book.list.get();
    this.unsaved.set(now.length !== this.kept.length || now.some((mark, index) => mark !== this.kept[index]));
  }
}

function asSent({ points, figures, ...mark }: BookMark): StudyMark {
  return { ...mark, points: points.map(([column, row]) => [column, row]), figures: [...figures] };
}
