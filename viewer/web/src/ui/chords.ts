// Keys as words: what was pressed, how it is written on screen, and what a person has put in its place. Pure.

/** By default key, the key that a person chose instead; both as `chordOf` says them. */
export type Remap = Readonly<Record<string, string>>;

export interface Press {
  readonly key: string;
  readonly code: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

/** The key without what holds it; where an input method makes something else of a letter (Telex: w is ư), the letter. */
function plainKey({ key, code, shiftKey }: Press): string {
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  const composed = key === "Process" || key === "Dead" || key === "Unidentified" || /^[^\x20-\x7e]$/.test(key);
  if (!composed || letter === undefined) return key;
  return shiftKey ? letter : letter.toLowerCase();
}

/** What was pressed: "w", "W" (with Shift), "Shift+ArrowUp", "Ctrl+Alt+k". */
export function chordOf(press: Press): string {
  const key = plainKey(press);
  const held = [
    press.ctrlKey ? "Ctrl+" : "",
    press.altKey ? "Alt+" : "",
    press.metaKey ? "Meta+" : "",
    press.shiftKey && key.length > 1 ? "Shift+" : "",
  ];
  return held.join("") + key;
}

const NAMES: readonly (readonly [key: string, label: string])[] = [
  ["ArrowUp", "↑"],
  ["ArrowDown", "↓"],
  ["ArrowLeft", "←"],
  ["ArrowRight", "→"],
  ["PageUp", "PgUp"],
  ["PageDown", "PgDn"],
  ["Delete", "Del"],
  ["Escape", "Esc"],
  ["Home", "Home"],
  ["End", "End"],
  ["Enter", "Enter"],
  ["-", "−"],
];

/** As a key is written on screen: "w" is W, "W" is ⇧W. */
export function labelOf(chord: string): string {
  const [, held = "", key = chord] = /^((?:(?:Ctrl|Alt|Meta|Shift)\+)*)(.+)$/s.exec(chord) ?? [];
  const named = NAMES.find(([name]) => name === key)?.[1];
  if (key.startsWith("Pad ")) return key;
  const letter = /^[A-Z]$/.test(key) ? `⇧${key}` : key.toUpperCase();
  return held + (named ?? (key.length === 1 ? letter : key));
}

/** The key that a label of the tables means; undefined for what is no key. */
export function chordOfLabel(label: string): string | undefined {
  const named = NAMES.find(([, written]) => written === label)?.[0];
  if (named) return named;
  const shifted = /^(?:⇧|Shift\+)([A-Z])$/.exec(label)?.[1];
  if (shifted) return shifted;
  if (/^F\d{1,2}$|^Pad ./.test(label)) return label;
  const [, held = "", rest = ""] = /^((?:(?:Ctrl|Alt|Meta|Shift)\+)+)(.+)$/.exec(label) ?? [];
  const key = rest && chordOfLabel(rest);
  if (key) return held + key;
  return label.length === 1 ? label.toLowerCase() : undefined;
}

/** The key of the tables that a chord stands for; empty where that key was given another chord, and none this one. */
export function meant(chord: string, remap: Remap): string {
  const moved = Object.keys(remap).find((key) => remap[key] === chord);
  return moved ?? (remap[chord] === undefined ? chord : "");
}

/** A table of keys as a person has them: what was chosen wins over what was there. */
export function bound<Action>(table: Readonly<Record<string, Action>>, remap: Remap): Readonly<Record<string, Action>> {
  const entries = Object.entries(table);
  const kept = entries.filter(([key]) => remap[key] === undefined);
  const moved = entries.flatMap(([key, action]) => (remap[key] === undefined ? [] : [[remap[key], action] as const]));
  return Object.fromEntries([...kept, ...moved]);
}

/** Keys that more than one thing is on, given the default keys of all things. */
export function conflicts(defaults: readonly string[], remap: Remap): ReadonlySet<string> {
  const chosen = [...new Set(defaults)].map((key) => remap[key] ?? key);
  return new Set(chosen.filter((key, at) => chosen.indexOf(key) !== at));
}
