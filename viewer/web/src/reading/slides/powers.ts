// The objectives of a microscope's turret, and their keys.

export const POWERS: readonly { readonly key: string; readonly power: number }[] = [
  { key: "1", power: 1 },
  { key: "2", power: 2 },
  { key: "3", power: 5 },
  { key: "4", power: 10 },
  { key: "5", power: 20 },
  { key: "6", power: 40 },
];

/** The objective beside a magnification: the next stronger one, or the next weaker; undefined beyond the last. */
export function powerBeside(power: number, by: 1 | -1): number | undefined {
  const beyond = POWERS.filter((one) => (by > 0 ? one.power > power * NEAR : one.power < power / NEAR));
  return (by > 0 ? beyond[0] : beyond.at(-1))?.power;
}

/** So near an objective, one looks through it. */
const NEAR = 1.02;
