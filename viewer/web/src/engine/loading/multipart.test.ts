import { describe, expect, test } from "vitest";
import { frameIn } from "./multipart";

const JPEG_2000 = "1.2.840.10008.1.2.4.90";
const TYPE = 'multipart/related; type="application/octet-stream"; boundary="b0"';

function latin(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function body(partType: string, pixels: string): Uint8Array {
  return latin(`--b0\r\nContent-Type: ${partType}\r\n\r\n${pixels}\r\n--b0--\r\n`);
}

describe("a frame's answer", () => {
  test("gives the part's bytes and its transfer syntax", () => {
    const part = frameIn(body(`image/jp2; transfer-syntax=${JPEG_2000}`, "pixels"), TYPE);

    expect(part).toEqual({ bytes: latin("pixels"), transferSyntaxUid: JPEG_2000 });
  });

  test("takes the syntax of the whole answer when the part has none", () => {
    const part = frameIn(body("application/octet-stream", "p"), `${TYPE}; transfer-syntax="${JPEG_2000}"`);

    expect(part?.transferSyntaxUid).toBe(JPEG_2000);
  });

  test("is explicit little endian when nobody says", () => {
    expect(frameIn(body("application/octet-stream", "p"), TYPE)?.transferSyntaxUid).toBe("1.2.840.10008.1.2.1");
  });

  test("may hold anything, line ends and its own boundary included", () => {
    const pixels = "a\r\n\r\n--b0\r\nb";

    expect(frameIn(body("application/octet-stream", pixels), TYPE)?.bytes).toEqual(latin(pixels));
  });

  test("may be a plain body", () => {
    expect(frameIn(latin("jpeg"), "image/jpeg")).toEqual({
      bytes: latin("jpeg"),
      transferSyntaxUid: "1.2.840.10008.1.2.4.50",
    });
  });

  test.each(["", "--b0\r\nContent-Type: x\r\n\r\ncut off", "--b1\r\n\r\nother\r\n--b1--"])(
    "that is not whole is none: %j",
    (text) => {
      expect(frameIn(latin(text), TYPE)).toBeUndefined();
    },
  );

  test("without a boundary is none", () => {
    expect(frameIn(body("application/octet-stream", "p"), "multipart/related")).toBeUndefined();
  });
});
