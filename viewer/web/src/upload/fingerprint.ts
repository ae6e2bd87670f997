// What an instance is, byte for byte, so that the node can be asked whether it is there: UID, encoding, digest.

import { Sha256 } from "./sha256";

export interface Fingerprint {
  readonly instance: string;
  readonly syntax: string;
  /** Of the data set, behind the file meta. */
  readonly sha256: string;
}

/** As many bytes of file meta as the node reads. */
const META_BYTES_MAX = 64 * 1024;
/** Read as a whole: most instances are smaller. */
const WHOLE_BYTES_MAX = 16 * 1024 * 1024;
/** Read at once otherwise: some milliseconds of work. */
const PIECE_BYTES = 512 * 1024;
const ELEMENTS = 132;
const LONG = ["OB", "OW", "UN", "UT", "SQ", "UC", "UR"];

/** Undefined of what the node must see to say what is wrong with it. */
export async function fingerprintOf(file: Blob): Promise<Fingerprint | undefined> {
  try {
    const meta = metaOf(new Uint8Array(await file.slice(0, META_BYTES_MAX).arrayBuffer()));
    if (!meta) return undefined;
    return { instance: meta.instance, syntax: meta.syntax, sha256: await digestOf(file.slice(meta.end)) };
  } catch {
    return undefined; // the file is gone: sending it will say so
  }
}

/** By the browser's own digest, which is many times faster, where it has one and the bytes are few. */
async function digestOf(dataSet: Blob): Promise<string> {
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (subtle && dataSet.size <= WHOLE_BYTES_MAX) {
    const digest = await subtle.digest("SHA-256", await dataSet.arrayBuffer());
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  const digest = new Sha256();
  for (let at = 0; at < dataSet.size; at += PIECE_BYTES) {
    digest.update(new Uint8Array(await dataSet.slice(at, at + PIECE_BYTES).arrayBuffer()));
  }
  return digest.hex();
}

/** Read file meta (PS3.10 7.1) as the node does: group 2 ends where another begins, whatever its length says. */
function metaOf(head: Uint8Array) {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const text = (from: number, to: number) => String.fromCharCode(...head.subarray(from, to));
  let [instance, syntax, at] = ["", "", ELEMENTS];
  while (at + 8 <= head.length && view.getUint16(at, true) === 2) {
    const isLong = LONG.includes(text(at + 4, at + 6));
    if (isLong && at + 12 > head.length) return undefined;
    const start = at + (isLong ? 12 : 8);
    const end = start + (isLong ? view.getUint32(at + 8, true) : view.getUint16(at + 6, true));
    if (end > head.length) return undefined;
    const element = view.getUint16(at + 2, true);
    if (element === 0x0003) instance = plain(text(start, end));
    if (element === 0x0010) syntax = plain(text(start, end));
    at = end;
  }
  return instance && syntax ? { instance, syntax, end: at } : undefined;
}

function plain(uid: string): string {
  return uid.replace(/^[ \0]+|[ \0]+$/g, "");
}
