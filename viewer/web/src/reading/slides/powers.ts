// The objectives of a microscope's turret, and their keys.

export const POWERS: readonly { readonly key: string; readonly power: number }[] = [
  { key: "1", power: 1 },
  { key: "2", power: 2 },
  { key: "3", power: 5 },
  { key: "4", power: 10 },
  { key: "5", power: 20 },
  { key: "6", power: 40 },
];
