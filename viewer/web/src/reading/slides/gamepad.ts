// A gamepad at a slide: which button means which key, and what sticks and triggers do to the view. Pure.

/** What is read off a pad of the standard layout (Gamepad, W3C, 11.1). */
export interface Pad {
  readonly axes: readonly number[];
  readonly buttons: readonly { readonly pressed: boolean; readonly value: number }[];
}

/** The buttons by their places, as the table of keys calls them; the triggers (6, 7) magnify and are no buttons. */
const BUTTONS: Readonly<Record<number, string>> = {
  0: "Pad A",
  1: "Pad B",
  2: "Pad X",
  3: "Pad Y",
  4: "Pad LB",
  5: "Pad RB",
  8: "Pad Back",
  9: "Pad Start",
  10: "Pad LS",
  11: "Pad RS",
  12: "Pad ↑",
  13: "Pad ↓",
  14: "Pad ←",
  15: "Pad →",
};
const [LEFT_TRIGGER, RIGHT_TRIGGER] = [6, 7];
/** A stick at rest is never quite in its middle. */
const REST = 0.15;
/** Screens a second, of the left stick and, for going slowly, of the right one. */
const SPEEDS = [0.9, 0.25] as const;
/** Times nearer in a second with the trigger pulled through. */
const NEARER = 4;
/** A page that was away shall not jump. */
const SECONDS_MAX = 0.1;

export interface Moved {
  /** Parts of the screen, to the right and down. */
  readonly across: number;
  readonly down: number;
  readonly zoom: number;
  /** Keys of the buttons that went down. */
  readonly keys: readonly string[];
}

export function moved(pad: Pad, held: ReadonlySet<string>, seconds: number): Moved {
  const passed = Math.min(seconds, SECONDS_MAX);
  const along = (axis: number) =>
    SPEEDS.reduce((sum, speed, stick) => sum + tilt(pad.axes[2 * stick + axis] ?? 0) * speed * passed, 0);
  const pull = (pad.buttons[RIGHT_TRIGGER]?.value ?? 0) - (pad.buttons[LEFT_TRIGGER]?.value ?? 0);
  return {
    across: along(0),
    down: along(1),
    zoom: NEARER ** (tilt(pull) * passed),
    keys: [...heldOn(pad)].filter((key) => !held.has(key)),
  };
}

export function heldOn(pad: Pad): ReadonlySet<string> {
  return new Set(Object.entries(BUTTONS).flatMap(([at, key]) => (pad.buttons[Number(at)]?.pressed ? [key] : [])));
}

/** From nothing at the edge of rest to all; finer near the middle. */
function tilt(value: number): number {
  const beyond = Math.max(0, Math.abs(value) - REST) / (1 - REST);
  return Math.sign(value) * Math.min(beyond, 1) ** 2;
}
