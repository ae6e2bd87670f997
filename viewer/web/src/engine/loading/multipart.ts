// The one part of a WADO-RS frame answer (multipart/related, PS3.18 8.6.1), or a plain body as it is.

export interface FramePart {
  readonly bytes: Uint8Array;
  readonly transferSyntaxUid: string;
}

const IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2";
export const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";
const PART_HEADER_BYTES_MAX = 4096;

function parameter(contentType: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|;)\\s*${name}\\s*=\\s*("([^"]*)"|[^;\\s]+)`, "i").exec(contentType);
  return match?.[2] ?? match?.[1];
}

function indexOf(bytes: Uint8Array, pattern: Uint8Array, from: number, end: number): number {
  const first = pattern[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at >= 0 && at <= end - pattern.length; at = bytes.indexOf(first, at + 1)) {
    if (pattern.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

function lastIndexOf(bytes: Uint8Array, pattern: Uint8Array): number {
  for (let at = bytes.length - pattern.length; at >= 0; at -= 1) {
    if (pattern.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

/** The syntax that a part or answer declares; media types alone are no proof of one, so raw bytes are taken as such. */
function syntaxOf(partType: string, answerType: string): string {
  const declared = parameter(partType, "transfer-syntax") ?? parameter(answerType, "transfer-syntax");
  if (declared && declared !== "*") return declared;
  return partType.startsWith("image/jpeg") ? "1.2.840.10008.1.2.4.50" : EXPLICIT_LITTLE_ENDIAN;
}

/**
 * The frame in an answer, or undefined when the answer is no whole multipart body.
 *
 * The closing boundary is looked for from the end, because pixels may contain anything.
 */
export function frameIn(body: Uint8Array, contentType: string): FramePart | undefined {
  if (!/^multipart\//i.test(contentType)) return { bytes: body, transferSyntaxUid: syntaxOf(contentType, contentType) };
  const boundary = parameter(contentType, "boundary");
  if (!boundary) return undefined;
  const encode = (text: string) => new TextEncoder().encode(text);
  const start = indexOf(body, encode(`--${boundary}\r\n`), 0, Math.min(body.length, PART_HEADER_BYTES_MAX));
  const blank =
    start < 0 ? -1 : indexOf(body, encode("\r\n\r\n"), start, Math.min(body.length, start + PART_HEADER_BYTES_MAX));
  const end = lastIndexOf(body, encode(`\r\n--${boundary}`));
  if (blank < 0 || end < blank) return undefined;
  const headers = new TextDecoder().decode(body.subarray(start, blank));
  const partType = /^content-type:\s*(.*)$/im.exec(headers)?.[1]?.trim() ?? "";
  return { bytes: body.subarray(blank + 4, end), transferSyntaxUid: syntaxOf(partType, contentType) };
}

/** Whether a syntax leaves pixels as they are in the data set, little endian. */
export function isUncompressed(transferSyntaxUid: string): boolean {
  return transferSyntaxUid === IMPLICIT_LITTLE_ENDIAN || transferSyntaxUid === EXPLICIT_LITTLE_ENDIAN;
}
