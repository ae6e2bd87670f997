// What readers leave behind in the studies that are open in this room, until the room is left. No React.

import type { StudyKey } from "../../api/queries";
import { createStore, type Store } from "../../engine/emitter";
import { hold } from "../../ui/leaving";
import { isSecond } from "../beside/pair";
import { KeysOfStudy } from "./studyKeys";
import { MarksOfStudy } from "./studyMarks";

export class Findings {
  /** Whether anything of any study is not kept. */
  readonly unsaved: Store<boolean> = createStore(false);
  private readonly marks = new Map<string, MarksOfStudy>();

  private readonly keys = new Map<string, KeysOfStudy>();

  /** The marks of a study, opened when they are first asked for. */
  marksOf(study: StudyKey): MarksOfStudy {
    return this.one(this.marks, study, () => new MarksOfStudy(study));
  }

  /** The key images of a study, opened when they are first asked for. */
  keysOf(study: StudyKey): KeysOfStudy {
    return this.one(this.keys, study, () => new KeysOfStudy(study));
  }

  /** Keep all that is not kept yet; tells whether that succeeded. */
  async save(): Promise<boolean> {
    await Promise.all(this.all().map((one) => (one.unsaved.get() ? one.keeping.save() : undefined)));
    return !this.unsaved.get();
  }

  /** What is not kept is not wanted; the room is left. */
  private drop(): void {
    for (const one of this.all()) one.draft.end(true);
  }

  end(): void {
    for (const one of this.all()) one.end();
    this.marks.clear();
    this.keys.clear();
    this.compare();
  }

  private one<Kept extends MarksOfStudy | KeysOfStudy>(of: Map<string, Kept>, study: StudyKey, make: () => Kept): Kept {
    const name = `${study.studyInstanceUid} ${study.site ?? ""}`;
    const known = of.get(name);
    if (known) return known;
    const made = make();
    of.set(name, made);
    made.unsaved.subscribe(() => this.compare());
    return made;
  }

  private all(): readonly (MarksOfStudy | KeysOfStudy)[] {
    return [...this.marks.values(), ...this.keys.values()];
  }

  private compare(): void {
    this.unsaved.set(this.all().some((one) => one.unsaved.get()));
    const unsaved = { what: "marks", save: () => this.save(), drop: () => this.drop() } as const;
    // What is not saved in a second window is not saved in the room, which asks.
    hold("findings", this.unsaved.get() && !isSecond() ? unsaved : undefined);
  }
}
