// Slides of several files: a MIRAX slide (.mrxs) with the folder beside it, as one thing to send; or a zip of both.

import type { Chosen } from "./chosen";

/** What is sent as one slide: one file, or several behind each other. */
export interface SlideFile {
  readonly name: string;
  readonly size: number;
  readonly slice: (from: number, to: number) => Blob;
  /** The files of its folder, in the order in which they stand behind the slide's own. */
  readonly folder: readonly { readonly name: string; readonly bytes: number }[];
}

/** A slide, and what it lacks to be one. */
export interface Grouped {
  readonly slide: SlideFile;
  readonly lacks: "folder" | "slide" | undefined;
}

const MIRAX = /\.mrxs$/i;
const DESCRIPTION = "slidedat.ini";
const MIRAX_PART = /\.(dat|ini)$/i;
const ALONE = /^(.+)\/slidedat\.ini$/i;
/** As the node takes them. */
const COMPANION = /^(?!\.{1,2}$)[\w. -]{1,128}$/;
/** Of a zip: what its directory's end may be behind, how long a directory is read, and their signatures. */
const END_BYTES_MAX = 22 + 65_535;
const DIRECTORY_BYTES_MAX = 4 * 1024 * 1024;
const END = 0x06054b50;
const ENTRY = 0x02014b50;

export function slideOf(file: File, companions: readonly File[] = []): SlideFile {
  const whole = companions.length > 0 ? new Blob([file, ...companions]) : file;
  return {
    name: file.name,
    size: whole.size,
    slice: (from, to) => whole.slice(from, to),
    folder: companions.map((one) => ({ name: one.name, bytes: one.size })),
  };
}

/** Find the MIRAX slides among files, each with its folder, which stands beside it under its name; the rest is others'. */
export function grouped(chosen: readonly Chosen[]): { slides: readonly Grouped[]; rest: readonly Chosen[] } {
  const folders = new Map<string, Chosen[]>();
  const slides = chosen.filter(({ path }) => MIRAX.test(path));
  for (const { path } of slides) folders.set(path.replace(MIRAX, ""), []);
  const rest = chosen.filter((one) => {
    if (slides.includes(one)) return false;
    const folder = folders.get(folderOf(one.path));
    folder?.push(one);
    return folder === undefined;
  });
  const whole = slides.map((one) => withFolder(one, folders.get(one.path.replace(MIRAX, "")) ?? []));
  const alone = rest.flatMap(({ path }) => ALONE.exec(path)?.[1] ?? []);
  return {
    slides: [...whole, ...alone.map(withoutSlide)],
    rest: rest.filter(({ path }) => !(MIRAX_PART.test(path) && alone.includes(folderOf(path)))),
  };
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function withoutSlide(folder: string): Grouped {
  return { slide: slideOf(new File([], `${folder.slice(folder.lastIndexOf("/") + 1)}.mrxs`)), lacks: "slide" };
}

function withFolder({ file }: Chosen, beside: readonly Chosen[]): Grouped {
  const companions = beside.map((one) => one.file).filter((one) => COMPANION.test(one.name));
  companions.sort((one, other) => (one.name < other.name ? -1 : 1));
  const isWhole = companions.some((one) => one.name.toLowerCase() === DESCRIPTION);
  return { slide: slideOf(file, companions), lacks: isWhole ? undefined : "folder" };
}

/** Whether there is a MIRAX slide in a zip, by the names in its directory (APPNOTE 4.3.12); false where they cannot be read. */
export async function hasMirax(zip: Blob): Promise<boolean> {
  const start = Math.max(0, zip.size - END_BYTES_MAX);
  const tail = new DataView(await zip.slice(start).arrayBuffer());
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
  if (at < 0) return false;
  const [bytes, from] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  if (bytes > DIRECTORY_BYTES_MAX) return false;
  const directory = new DataView(await zip.slice(from, from + bytes).arrayBuffer());
  for (let entry = 0; entry + 46 <= directory.byteLength && directory.getUint32(entry, true) === ENTRY; ) {
    const length = directory.getUint16(entry + 28, true);
    const name = new Uint8Array(directory.buffer, entry + 46, Math.min(length, directory.byteLength - entry - 46));
    if (MIRAX.test(String.fromCharCode(...name.subarray(-5)))) return true;
    entry += 46 + length + directory.getUint16(entry + 30, true) + directory.getUint16(entry + 32, true);
  }
  return false;
}
