// The Grayscale Standard Display Function (PS3.14 7.1): which luminance a just noticeable difference has, and back. Pure.

/** PS3.14 7.1, the coefficients of a to m of the interpolation. */
const [A, B, C, D, E] = [-1.3011877, -2.5840191e-2, 8.0242636e-2, -1.0320229e-1, 1.3646699e-1];
const [F, G, H, K, M] = [2.874562e-2, -2.5468404e-2, -3.1978977e-3, 1.2992634e-4, 1.3635334e-3];
/** The same, of the inverse, by powers of log10 L. */
const INVERSE = [
  71.498068, 94.593053, 41.912053, 9.8247004, 0.28175407, -1.1878455, -0.18014349, 0.14710899, -0.017046845,
];
const LEVEL_MAX = 255;

/** Luminance, cd/m², of an index of just noticeable differences from 1 to 1023. */
export function luminanceAt(index: number): number {
  const x = Math.log(index);
  const above = A + x * (C + x * (E + x * (G + x * M)));
  const below = 1 + x * (B + x * (D + x * (F + x * (H + x * K))));
  return 10 ** (above / below);
}

/** The index of just noticeable differences of a luminance from 0.05 to 4000 cd/m². */
export function indexAt(luminance: number): number {
  const x = Math.log10(luminance);
  return INVERSE.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}

/** What a calibrated display shows at a level of 0 to LEVEL_MAX, between its black and its white, cd/m². */
export function luminanceOf(level: number, black: number, white: number): number {
  const [from, to] = [indexAt(black), indexAt(white)];
  return luminanceAt(Math.max(1, from + ((to - from) * level) / LEVEL_MAX));
}
