// A reading in two windows, as React components meet it: what is shown, and how both are scrolled.

import { useEffect } from "react";
import type { StudyKey } from "../../api/queries";
import type { Frame } from "../../engine/frames/frame";
import { linkedIndex, type Slice } from "../../engine/stack/linked";
import type { StackView } from "../../engine/stack/stackView";
import { randomName } from "../../ui/randomName";
import { enterRoom, hear, isSame, isSecond, type Place, tell, wantedThere } from "./pair";

export interface Shown {
  readonly study: StudyKey;
  readonly onSeries: (seriesInstanceUid: string) => void;
  /** Go to another study. */
  readonly onShow: (study: StudyKey) => void;
  readonly onStep: (by: number) => void;
}

/** For the life of a reading: the second window shows what the room wants, and goes with it. */
export function useSecond({ study, onSeries, onShow, onStep }: Shown): void {
  const { studyInstanceUid, site } = study;
  useEffect(() => {
    if (isSecond()) {
      tell({ kind: "hello" });
      return undefined;
    }
    return enterRoom({ studyInstanceUid, site });
  }, [studyInstanceUid, site]);
  useEffect(() =>
    hear((message) => {
      if (isSecond()) {
        if (message.kind !== "show") return;
        if (!isSame(message.study, study)) onShow(message.study);
        else if (message.series) onSeries(message.series);
      } else if (message.kind === "step") onStep(message.by);
      else if (message.kind === "hello") {
        const wanted = wantedThere();
        if (wanted) tell({ kind: "show", ...wanted });
      }
    }),
  );
}

/** While `linked`, a picture and that of the other window are scrolled together. */
export function useScrolledTogether(view: StackView | undefined, linked: boolean): void {
  useEffect(() => {
    if (!(view && linked)) return undefined;
    const walk = new Walk(view);
    return () => walk.end();
  }, [view, linked]);
}

class Walk {
  private readonly view: StackView;
  private readonly undo: (() => void)[];
  /** Where both pictures stood when they met: theirs, and the index here. */
  private readonly met = new Map<string, { readonly there: Place; readonly to: number }>();
  private epoch = "";
  private count = -1;
  private said = 0;
  private following = false;

  constructor(view: StackView) {
    this.view = view;
    this.undo = [
      view.stack.subscribe(() => this.moved()),
      hear((message) => {
        if (message.kind === "here") this.say();
        if (message.kind === "place") this.follow(message);
      }),
    ];
    tell({ kind: "here" });
    this.moved();
  }

  end(): void {
    for (const undo of this.undo) undo();
  }

  private moved(): void {
    const { wanted, count } = this.view.stack.get();
    if (count !== this.count) {
      this.epoch = randomName();
      [this.count, this.said] = [count, wanted];
      this.say();
    } else if (wanted !== this.said) {
      this.said = wanted;
      if (!this.following) this.say();
    }
  }

  private say(): void {
    const { said: index, epoch } = this;
    tell({ kind: "place", epoch, index, slice: sliceOf(this.view.allFrames()[index]) });
  }

  private follow(place: Place): void {
    const { epoch, index, slice } = place;
    const met = this.met.get(epoch);
    if (!met) {
      this.met.set(epoch, { there: place, to: this.view.stack.get().wanted });
      return;
    }
    const from = met.there.index;
    const theirs: Slice[] = [];
    if (met.there.slice) theirs[from] = met.there.slice;
    if (slice) theirs[index] = slice;
    const wanted = linkedIndex(theirs, index, this.view.allFrames(), { from, to: met.to });
    if (wanted === undefined) return;
    this.following = true;
    this.view.goTo(wanted);
    this.following = false;
  }
}

function sliceOf(frame: Frame | undefined): Slice | undefined {
  if (!frame) return undefined;
  const { position, orientation, frameOfReferenceUid } = frame;
  return { position, orientation, frameOfReferenceUid };
}
