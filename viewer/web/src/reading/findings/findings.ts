// What readers leave behind in the studies that are open in this room, until the room is left. No React.

import type { StudyKey } from "../../api/queries";
import { createStore, type Store } from "../../engine/emitter";
import { holdTab } from "../../ui/unload";
import type { Unsaved } from "../useLeaving";
import { MarksOfStudy } from "./studyMarks";

export class Findings {
  /** Whether anything of any study is not kept. */
  readonly unsaved: Store<boolean> = createStore(false);
  private readonly marks = new Map<string, MarksOfStudy>();

  /** The marks of a study, opened when they are first asked for. */
  marksOf(study: StudyKey): MarksOfStudy {
    const name = `${study.studyInstanceUid} ${study.site ?? ""}`;
    const known = this.marks.get(name);
    if (known) return known;
    const made = new MarksOfStudy(study);
    this.marks.set(name, made);
    made.unsaved.subscribe(() => this.compare());
    return made;
  }

  /** What is lost by leaving. */
  leftBehind(): Unsaved | undefined {
    if (!this.unsaved.get()) return undefined;
    return { save: () => this.save(), drop: () => undefined };
  }

  /** Keep all that is not kept yet; tells whether that succeeded. */
  async save(): Promise<boolean> {
    await Promise.all([...this.marks.values()].map((one) => (one.unsaved.get() ? one.keeping.save() : undefined)));
    return !this.unsaved.get();
  }

  end(): void {
    for (const one of this.marks.values()) one.end();
    this.marks.clear();
    this.compare();
  }

  private compare(): void {
    this.unsaved.set([...this.marks.values()].some((one) => one.unsaved.get()));
    holdTab("findings", this.unsaved.get());
  }
}
