import { afterEach, expect, test, vi } from "vitest";
import { onSized } from "./sized";

afterEach(() => vi.unstubAllGlobals());

/** An element whose size is set by hand, as the browser would tell of it. */
function anElement() {
  const element = { clientWidth: 300, clientHeight: 200 };
  const told = new Set<() => void>();
  class Observer {
    readonly act: () => void;
    constructor(act: () => void) {
      this.act = act;
    }
    observe = () => told.add(this.act);
    disconnect = () => told.delete(this.act);
  }
  vi.stubGlobal("ResizeObserver", Observer);
  const become = (clientWidth: number, clientHeight: number) => {
    Object.assign(element, { clientWidth, clientHeight });
    for (const act of told) act();
  };
  return { element: element as unknown as Element, become };
}

test("who draws hears of every size but of none, and of the next one when it is shown again", () => {
  const { element, become } = anElement();
  const heard: string[] = [];
  const stop = onSized(element, () => heard.push(`${element.clientWidth} x ${element.clientHeight}`));

  become(200, 100);
  become(0, 0);
  become(200, 0);
  become(0, 100);
  become(640, 480);
  stop();
  become(800, 600);

  expect(heard).toEqual(["200 x 100", "640 x 480"]);
});
