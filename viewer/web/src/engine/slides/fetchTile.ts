// One tile: asked for, and decoded with its color profile or without. Failures are values.

/** What keeps a tile from being shown; the names are keys of the language files (slides:tileProblem.*). */
export type TileProblem = "signedOut" | "denied" | "gone" | "busy" | "unreachable" | "unreadable";

export type TileAnswer =
  | { readonly kind: "tile"; readonly bitmap: ImageBitmap }
  | { readonly kind: "abandoned" }
  | {
      readonly kind: "problem";
      readonly problem: TileProblem;
      /** How long the server wants to be left alone. */
      readonly waitMs: number | undefined;
    };

const PROBLEM_BY_STATUS: Readonly<Record<number, TileProblem>> = {
  401: "signedOut",
  403: "denied",
  404: "gone",
  410: "gone",
  503: "busy",
};

export type Decode = (blob: Blob, options: ImageBitmapOptions) => Promise<ImageBitmap>;

/** The slide's color profile could not be had: a tile without it would show other colors. */
export class ProfileUnreachable extends Error {}

/** Beside the page: Chromium and Firefox decode on threads of their own. */
export const decoded: Decode = (blob, options) => createImageBitmap(blob, options);

async function answerOf(response: Response, managed: boolean, decode: Decode): Promise<TileAnswer> {
  if (!response.ok) {
    const wait = Number(response.headers.get("Retry-After") ?? "");
    const problem = PROBLEM_BY_STATUS[response.status] ?? "unreachable";
    return { kind: "problem", problem, waitMs: Number.isFinite(wait) && wait > 0 ? wait * 1000 : undefined };
  }
  return decodeTile(await response.blob(), managed, decode);
}

/** Never throws. `managed`: whether the profile inside the tile is heeded. */
export async function decodeTile(blob: Blob, managed: boolean, decode: Decode = decoded): Promise<TileAnswer> {
  try {
    return { kind: "tile", bitmap: await decode(blob, { colorSpaceConversion: managed ? "default" : "none" }) };
  } catch (error) {
    const problem = error instanceof ProfileUnreachable ? "unreachable" : "unreadable";
    return { kind: "problem", problem, waitMs: undefined };
  }
}

/** Ask for a tile and decode it. Never throws. */
export async function fetchTile(
  url: string,
  managed: boolean,
  signal: AbortSignal,
  decode: Decode = decoded,
): Promise<TileAnswer> {
  try {
    const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "image/jpeg" }, signal });
    return await answerOf(response, managed, decode);
  } catch {
    if (signal.aborted) return { kind: "abandoned" };
    return { kind: "problem", problem: "unreachable", waitMs: undefined };
  }
}
