// How bright a picture of 8 bits is shown: a window of its values, level and width in per cent. Pure.

export interface Contrast {
  readonly level: number;
  readonly width: number;
}

export const PLAIN: Contrast = { level: 50, width: 100 };
/** Shows faint letters on black. */
export const BRIGHT: Contrast = { level: 14, width: 28 };
export const WIDTH_MIN = 2;
/** A key goes so far, in per cent. */
export const STEP = 4;

export function isPlain({ level, width }: Contrast): boolean {
  return level === PLAIN.level && width === PLAIN.width;
}

/** Another window, within what can be shown. */
export function shifted({ level, width }: Contrast, by: Partial<Contrast>): Contrast {
  return {
    level: Math.min(Math.max(level + (by.level ?? 0), 0), 100),
    width: Math.min(Math.max(width + (by.width ?? 0), WIDTH_MIN), 100),
  };
}

/** The values that are shown, as shares of their range: for who has more of them than 256. */
export function valuesOf({ level, width }: Contrast): readonly [low: number, high: number] {
  return [(level - width / 2) / 100, (level + width / 2) / 100];
}

/** The line from a value to what is shown, both from 0 to 1: black at the window's lower end, white at its upper one. */
export function lineOf({ level, width }: Contrast): { readonly slope: number; readonly intercept: number } {
  return { slope: 100 / width, intercept: 0.5 - level / width };
}
