// How segments are told apart, on images and on slides. Pure.

export type Color = readonly [number, number, number];

/** Told apart by readers who tell few colors apart (Okabe and Ito). */
const SEGMENT_COLORS = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [204, 121, 167],
  [213, 94, 0],
  [0, 114, 178],
] as const satisfies readonly Color[];
export const SEGMENT_OPACITY = 0.45;

export function segmentColor(segment: number): Color {
  return SEGMENT_COLORS[(segment - 1) % SEGMENT_COLORS.length] ?? SEGMENT_COLORS[0];
}
