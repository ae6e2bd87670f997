import { expect, test, vi } from "vitest";
import { framesOf, type PixelModule } from "../frames/frame";
import { Decoding, isMisread, wantsDecoded } from "./decoding";
import { Lookups } from "./lookups";
import { Palettes } from "./palettes";
import { FrameProblem, type FrameProblemKind } from "./problems";

vi.mock("@cornerstonejs/dicom-image-loader", () => ({ createImage: async () => ({}) }));

const GREY = { samplesPerPixel: 1, photometricInterpretation: "MONOCHROME2", bitsAllocated: 16, bitsStored: 12 };
const RGB = { samplesPerPixel: 3, photometricInterpretation: "RGB", bitsAllocated: 8, bitsStored: 8 };
const of = (pixels: object) => ({ isFloat: false, ...pixels }) as PixelModule;

test.each([
  ["grey of twelve bits", GREY, false],
  ["color of eight bits", RGB, false],
  ["color of sixteen bits", { ...RGB, bitsAllocated: 16, bitsStored: 16 }, true],
  ["a dose's grid", { ...GREY, bitsAllocated: 32, bitsStored: 32 }, true],
  ["a mask", { ...GREY, bitsAllocated: 1, bitsStored: 1 }, true],
  ["floating point numbers", { ...GREY, isFloat: true }, true],
])("the server decodes %s or not", (_, pixels, wanted) => {
  expect(wantsDecoded(of(pixels))).toBe(wanted);
});

const part = (of: string, bytes = new Uint8Array(64)) => ({ transferSyntaxUid: `1.2.840.10008.1.2.4.${of}`, bytes });

test("JPEG of twelve bits, and of RGB, is decoded by the server", () => {
  expect(isMisread(of(GREY), part("51"))).toBe(true);
  expect(isMisread(of(RGB), part("50"))).toBe(true);
  expect(isMisread(of({ ...RGB, photometricInterpretation: "YBR_FULL_422" }), part("50"))).toBe(false);
  expect(isMisread(of(GREY), part("50"))).toBe(false);
});

/** The head of a codestream whose samples are of sixteen bits, behind so many bytes of boxes. */
function codestream(signed: boolean, boxes = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(boxes + 64);
  bytes.set([0xff, 0x4f, 0xff, 0x51], boxes);
  bytes[boxes + 42] = signed ? 0x8f : 0x0f;
  return bytes;
}

test.each([
  [1, codestream(true), false],
  [1, codestream(false), true],
  [0, codestream(false), false],
  [0, codestream(true), true],
  [1, codestream(false, 85), true],
  [1, codestream(false, 2000), false],
  [1, codestream(false).subarray(0, 40), false],
  [1, new Uint8Array(), false],
])(
  "JPEG 2000 that contradicts Pixel Representation %i about signs is decoded by the server",
  (sign, bytes, misread) => {
    const pixels = of({ ...GREY, pixelRepresentation: sign });

    expect(isMisread(pixels, part("90", bytes))).toBe(misread);
    expect(isMisread(pixels, part("80", bytes))).toBe(false);
  },
);

/** A frame whose tables are fetched, read when a fetch ends so. */
async function read(sequence: string, fetched: () => Promise<Uint8Array>) {
  const table = { "00283002": { vr: "US", Value: [2, 0, 16] }, "00283006": { vr: "OW", BulkDataURI: "/bulk" } };
  const [frame] = framesOf(
    {
      "00080018": { vr: "UI", Value: ["2.25.3"] },
      "00280010": { vr: "US", Value: [1] },
      "00280011": { vr: "US", Value: [1] },
      "00280100": { vr: "US", Value: [16] },
      "00281050": { vr: "DS", Value: [40] },
      "00281051": { vr: "DS", Value: [80] },
      [sequence]: { vr: "SQ", Value: [table] },
    },
    "/series",
  );
  const decoding = new Decoding(new Palettes(fetched), new Lookups(fetched));
  if (!frame) throw new Error("no frame");
  await decoding.image(frame, { bytes: new Uint8Array(2), transferSyntaxUid: "1.2.840.10008.1.2.1" });
  return decoding.asRead(frame);
}
const [MODALITY, VOI] = ["00283000", "00283010"] as const;
const WHOLE = () => Promise.resolve(new Uint8Array(4));
const SHORT = () => Promise.resolve(new Uint8Array(3));
const refused = (kind: FrameProblemKind) => () => Promise.reject(new FrameProblem(kind));

test("an image with a damaged table is drawn without it", async () => {
  expect((await read(VOI, WHOLE)).displayIgnored).toBeUndefined();
  expect(await read(VOI, SHORT)).toMatchObject({ displayIgnored: "lut", voiLookup: undefined, window: { center: 40 } });
  expect(await read(MODALITY, SHORT)).toMatchObject({ displayIgnored: "modalityLut", window: undefined });
  expect(await read(VOI, refused("damaged"))).toMatchObject({ displayIgnored: "lut" });
});

test("a table that the line did not bring is waited for", async () => {
  await expect(read(VOI, refused("unreachable"))).rejects.toThrow("unreachable");
});
