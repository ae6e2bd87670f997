// The engine's view of a slide for the life of an element.

import { type RefObject, useEffect, useState } from "react";
import { Marks } from "../../engine/slides/marks";
import { MarkTool } from "../../engine/slides/markTool";
import type { Slide } from "../../engine/slides/slide";
import { SlideView } from "../../engine/slides/slideView";

/** A slide on the screen, and what is drawn on it. */
export interface Bench {
  readonly view: SlideView;
  readonly marks: Marks;
  readonly tool: MarkTool;
}

export interface Opened {
  readonly bench: Bench | undefined;
  readonly failed: boolean;
}

const NOTHING: Opened = { bench: undefined, failed: false };

export interface Elements {
  readonly stage: RefObject<HTMLDivElement | null>;
  readonly overview: RefObject<HTMLDivElement | null>;
}

/** Open `slide` in the stage; `failed` when this browser cannot. */
export function useSlideView({ stage, overview }: Elements, slide: Slide): Opened {
  const [opened, setOpened] = useState<Opened>(NOTHING);

  useEffect(() => {
    const element = stage.current;
    if (!element) return undefined;
    let bench: Bench | undefined;
    try {
      const view = new SlideView(element, slide, overview.current ?? undefined);
      const marks = new Marks();
      const made = { view, marks, tool: new MarkTool(view, marks) };
      bench = made;
      // Before that nobody knows from where it is looked at: neither keys nor another slide could go on from there.
      view.whenOpen(() => setOpened({ bench: made, failed: false }));
    } catch {
      setOpened({ bench: undefined, failed: true });
    }
    return () => {
      setOpened(NOTHING);
      bench?.tool.destroy();
      bench?.view.destroy();
    };
  }, [stage, overview, slide]);

  return opened;
}
