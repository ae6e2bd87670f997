import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { Sha256 } from "./sha256";

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7919 + (index >> 8)) & 0xff);
}

test("the examples of FIPS 180-4", () => {
  const of = (text: string) => new Sha256().update(new TextEncoder().encode(text)).hex();

  expect(of("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(of("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("it is the same however the bytes come, at every length about a block's", () => {
  for (let length = 0; length < 200; length++) {
    const content = bytes(length);
    const whole = createHash("sha256").update(content).digest("hex");

    for (const piece of [1, 63, 64, 65, 200]) {
      const digest = new Sha256();
      for (let at = 0; at < length; at += piece) digest.update(content.subarray(at, at + piece));
      expect(digest.hex()).toBe(whole);
    }
  }
});
