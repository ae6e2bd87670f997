// Canvases to an MP4 film by the browser's own encoder (WebCodecs): nothing is sent anywhere.

import { mp4Of, type Sample } from "./mp4";

/** H.264 profiles, the one that packs best first, at a level that holds SIDE_MAX. */
const CODECS = ["avc1.640033", "avc1.4d0033", "avc1.420033"] as const;
const SIDE_MAX = 1920;
const BITS_PER_PIXEL = 0.2;
const BITS_MIN = 2_000_000;
const BITS_MAX = 24_000_000;
const KEY_EVERY = 15;
/** Pictures that wait for the encoder. */
const QUEUE_MAX = 4;

export interface FilmSize {
  readonly width: number;
  readonly height: number;
}

/** The size of a film of pictures of this size: at most SIDE_MAX, and even, as the encoder wants it. */
export function filmSize({ width, height }: FilmSize): FilmSize {
  const factor = Math.min(1, SIDE_MAX / Math.max(width, height));
  const even = (side: number) => Math.max(2, Math.floor((side * factor) / 2) * 2);
  return { width: even(width), height: even(height) };
}

/** How this browser encodes films of such a size; undefined when it cannot, or not on a page without HTTPS. */
export async function encodingOf(size: FilmSize, rate: number): Promise<VideoEncoderConfig | undefined> {
  if (typeof VideoEncoder === "undefined") return undefined;
  const bitrate = Math.min(Math.max(size.width * size.height * rate * BITS_PER_PIXEL, BITS_MIN), BITS_MAX);
  for (const codec of CODECS) {
    const config = { codec, ...size, bitrate, framerate: rate, avc: { format: "avc" } } as const;
    if ((await VideoEncoder.isConfigSupported(config)).supported) return config;
  }
  return undefined;
}

export class FilmWriter {
  private readonly config: VideoEncoderConfig;
  private readonly rate: number;
  private readonly encoder: VideoEncoder;
  private readonly canvas: OffscreenCanvas;
  private readonly samples: Sample[] = [];
  private avcConfiguration: Uint8Array | undefined;
  private failed: DOMException | undefined;
  private onFailed: () => void = () => undefined;
  private added = 0;

  constructor(config: VideoEncoderConfig, rate: number) {
    this.config = config;
    this.rate = rate;
    this.canvas = new OffscreenCanvas(config.width, config.height);
    this.encoder = new VideoEncoder({
      output: (chunk, about) => this.take(chunk, about),
      error: (error) => {
        this.failed = error;
        this.onFailed();
      },
    });
    this.encoder.configure(config);
  }

  /** Add a picture, drawn to the film's size. Throws when the encoder failed. */
  async add(picture: HTMLCanvasElement): Promise<void> {
    this.canvas.getContext("2d")?.drawImage(picture, 0, 0, this.config.width, this.config.height);
    const timestamp = Math.round((this.added * 1_000_000) / this.rate);
    const frame = new VideoFrame(this.canvas, { timestamp });
    this.encoder.encode(frame, { keyFrame: this.added % KEY_EVERY === 0 });
    frame.close();
    this.added += 1;
    while (this.encoder.encodeQueueSize > QUEUE_MAX && !this.failed) {
      // An encoder that failed takes nothing more out of its queue.
      await new Promise<void>((resolve) => {
        this.onFailed = resolve;
        this.encoder.addEventListener("dequeue", () => resolve(), { once: true });
      });
    }
    if (this.failed) throw this.failed;
  }

  /** The file. Throws when the encoder failed. */
  async end(): Promise<Uint8Array> {
    await this.encoder.flush();
    this.close();
    const { avcConfiguration, samples, rate } = this;
    if (this.failed || !avcConfiguration) throw this.failed ?? new Error("the encoder did not say how to decode");
    const { width, height } = this.config;
    return mp4Of({ width, height, rate, avcConfiguration, samples });
  }

  close(): void {
    if (this.encoder.state !== "closed") this.encoder.close();
  }

  private take(chunk: EncodedVideoChunk, about: EncodedVideoChunkMetadata | undefined): void {
    const description = about?.decoderConfig?.description;
    if (description) this.avcConfiguration ??= bytesOf(description);
    const bytes = new Uint8Array(chunk.byteLength);
    chunk.copyTo(bytes);
    this.samples.push({ bytes, isKey: chunk.type === "key" });
  }
}

function bytesOf(source: AllowSharedBufferSource): Uint8Array {
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice();
  return new Uint8Array(source).slice();
}
