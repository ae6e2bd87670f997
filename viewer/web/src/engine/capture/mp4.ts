// An MP4 file of one H.264 track (ISO/IEC 14496-12 and 14496-15): every picture as long as the next, none out of order. Pure.

export interface Sample {
  readonly bytes: Uint8Array;
  /** It can be shown without those before it. */
  readonly isKey: boolean;
}

export interface Film {
  readonly width: number;
  readonly height: number;
  /** Pictures a second. */
  readonly rate: number;
  /** AVCDecoderConfigurationRecord, as the encoder gives it. */
  readonly avcConfiguration: Uint8Array;
  readonly samples: readonly Sample[];
}

/** Ticks a second, by which all usual rates can be told. */
const TIMESCALE = 90_000;
const MATRIX: readonly number[] = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];
const LANGUAGE_UNDETERMINED = 0x55c4;

type Part = Uint8Array;

function u32(...values: readonly number[]): Part {
  const part = new Uint8Array(values.length * 4);
  const view = new DataView(part.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value);
  return part;
}

function u16(...values: readonly number[]): Part {
  const part = new Uint8Array(values.length * 2);
  const view = new DataView(part.buffer);
  for (const [index, value] of values.entries()) view.setUint16(index * 2, value);
  return part;
}

function ascii(text: string): Part {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function joined(parts: readonly Part[]): Part {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function box(type: string, ...parts: readonly Part[]): Part {
  const content = joined(parts);
  return joined([u32(content.length + 8), ascii(type), content]);
}

/** A box with a version, 0, and flags. */
function full(type: string, flags: number, ...parts: readonly Part[]): Part {
  return box(type, u32(flags), ...parts);
}

function entryOf({ width, height, avcConfiguration }: Film): Part {
  const visual = [u32(0, 1), u16(0, 0), u32(0, 0, 0), u16(width, height), u32(0x480000, 0x480000, 0), u16(1)];
  return box("avc1", ...visual, new Uint8Array(32), u16(24, 0xffff), box("avcC", avcConfiguration));
}

function tablesOf(film: Film, ticks: number, firstByte: number): Part {
  const { samples } = film;
  const keys = samples.flatMap((sample, index) => (sample.isKey ? [index + 1] : []));
  return box(
    "stbl",
    full("stsd", 0, u32(1), entryOf(film)),
    full("stts", 0, u32(1, samples.length, ticks)),
    full("stss", 0, u32(keys.length, ...keys)),
    full("stsc", 0, u32(1, 1, samples.length, 1)),
    full("stsz", 0, u32(0, samples.length, ...samples.map(({ bytes }) => bytes.length))),
    full("stco", 0, u32(1, firstByte)),
  );
}

function movieOf(film: Film, firstByte: number): Part {
  const ticks = Math.round(TIMESCALE / film.rate);
  const length = ticks * film.samples.length;
  const matrix = u32(...MATRIX);
  const media = box(
    "mdia",
    full("mdhd", 0, u32(0, 0, TIMESCALE, length), u16(LANGUAGE_UNDETERMINED, 0)),
    full("hdlr", 0, u32(0), ascii("vide"), u32(0, 0, 0), ascii("\0")),
    box(
      "minf",
      full("vmhd", 1, u16(0, 0, 0, 0)),
      box("dinf", full("dref", 0, u32(1), full("url ", 1))),
      tablesOf(film, ticks, firstByte),
    ),
  );
  return box(
    "moov",
    full("mvhd", 0, u32(0, 0, TIMESCALE, length, 0x10000), u16(0x100, 0), u32(0, 0), matrix, u32(0, 0, 0, 0, 0, 0, 2)),
    box(
      "trak",
      full(
        "tkhd",
        3,
        u32(0, 0, 1, 0, length, 0, 0),
        u16(0, 0, 0, 0),
        matrix,
        u32(film.width * 0x10000, film.height * 0x10000),
      ),
      media,
    ),
  );
}

/** The file: what it is, what is in it, then the pictures, so that players can begin with its first bytes. */
export function mp4Of(film: Film): Uint8Array {
  const head = box("ftyp", ascii("isom"), u32(0x200), ascii("isomiso2avc1mp41"));
  const before = head.length + movieOf(film, 0).length + 8;
  return joined([head, movieOf(film, before), box("mdat", ...film.samples.map(({ bytes }) => bytes))]);
}
