// SHA-256 (FIPS 180-4), piece by piece: the browser's own is not there over plain HTTP, and wants all bytes in memory. Pure.

const WORDS = 64;
const BLOCK_BYTES = 64;

/** The first 32 bits of the fractional parts of a root of the first primes. */
function primeRoots(count: number, root: (of: number) => number): Int32Array<ArrayBuffer> {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++) {
    let isPrime = true;
    for (let factor = 2; factor * factor <= candidate; factor++) if (candidate % factor === 0) isPrime = false;
    if (isPrime) found.push(((root(candidate) % 1) * 2 ** 32) | 0);
  }
  return Int32Array.from(found);
}

const K = primeRoots(WORDS, Math.cbrt);
const START = primeRoots(8, Math.sqrt);

export class Sha256 {
  private readonly state = START.slice();
  private readonly words = new Int32Array(WORDS);
  private readonly block = new Uint8Array(BLOCK_BYTES);
  private bytes = 0;

  /** Take the next bytes. */
  update(data: Uint8Array): this {
    let at = 0;
    const begun = this.bytes % BLOCK_BYTES;
    this.bytes += data.length;
    if (begun > 0) {
      at = Math.min(BLOCK_BYTES - begun, data.length);
      this.block.set(data.subarray(0, at), begun);
      if (begun + at < BLOCK_BYTES) return this;
      this.compress(this.block, 0);
    }
    for (; at + BLOCK_BYTES <= data.length; at += BLOCK_BYTES) this.compress(data, at);
    this.block.set(data.subarray(at));
    return this;
  }

  /** The digest of all that was taken, in hexadecimal; nothing may be taken after. */
  hex(): string {
    const bits = this.bytes * 8;
    const zeros = (2 * BLOCK_BYTES - 9 - (this.bytes % BLOCK_BYTES)) % BLOCK_BYTES;
    const tail = new Uint8Array(1 + zeros + 8);
    tail[0] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(tail.length - 4, bits >>> 0);
    this.update(tail);
    return Array.from(this.state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  private compress(data: Uint8Array, start: number): void {
    const w = this.words;
    const s = this.state;
    const byte = (index: number) => data[start + index] as number;
    for (let i = 0; i < 16; i++) {
      w[i] = (byte(4 * i) << 24) | (byte(4 * i + 1) << 16) | (byte(4 * i + 2) << 8) | byte(4 * i + 3);
    }
    for (let i = 16; i < WORDS; i++) {
      const early = w[i - 15] as number;
      const late = w[i - 2] as number;
      const s0 = turned(early, 7) ^ turned(early, 18) ^ (early >>> 3);
      const s1 = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
      w[i] = ((w[i - 16] as number) + s0 + (w[i - 7] as number) + s1) | 0;
    }
    let [a, b, c, d] = [s[0] as number, s[1] as number, s[2] as number, s[3] as number];
    let [e, f, g, h] = [s[4] as number, s[5] as number, s[6] as number, s[7] as number];
    for (let i = 0; i < WORDS; i++) {
      const s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
      const one = (h + s1 + ((e & f) ^ (~e & g)) + (K[i] as number) + (w[i] as number)) | 0;
      const s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
      const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((word, index) => {
      s[index] = (s[index] as number) + word;
    });
  }
}

function turned(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}
