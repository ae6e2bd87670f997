import { afterEach, expect, test, vi } from "vitest";
import { FilmWriter } from "./filmWriter";

afterEach(() => vi.unstubAllGlobals());

test("an encoder that fails while pictures wait for it ends the film with its reason", async () => {
  let fail: (error: DOMException) => void = () => undefined;
  class Stuck extends EventTarget {
    readonly encodeQueueSize = 5;
    readonly state = "configured";
    constructor({ error }: VideoEncoderInit) {
      super();
      fail = error;
    }
    configure() {}
    encode() {}
    close() {}
  }
  class Picture {
    getContext() {
      return null;
    }
    close() {}
  }
  vi.stubGlobal("VideoEncoder", Stuck);
  vi.stubGlobal("VideoFrame", Picture);
  vi.stubGlobal("OffscreenCanvas", Picture);
  const writer = new FilmWriter({ codec: "avc1.640033", width: 64, height: 64 }, 15);
  const reason = new DOMException("gone", "EncodingError");

  const adding = writer.add({} as HTMLCanvasElement);
  fail(reason);

  await expect(adding).rejects.toBe(reason);
});
