import { describe, expect, test } from "vitest";
import type { JsonDataSet } from "../frames/dicomJson";
import type { Frame } from "../frames/frame";
import { graphicsOn, presentationStateOf } from "./presentationState";

const value = (...Value: unknown[]) => ({ vr: "UN", Value });
const sequence = (...Value: JsonDataSet[]) => ({ vr: "SQ", Value });
const image = (uid: string) => ({ "00081155": value(uid) });

function graphic(kind: string, points: readonly number[], units = "PIXEL"): JsonDataSet {
  return { "00700005": value(units), "00700022": value(...points), "00700023": value(kind) };
}

const STATE: JsonDataSet = {
  "00080016": value("1.2.840.10008.5.1.4.1.1.11.1"),
  "00080018": value("1.7"),
  "00700081": value("Gan"),
  "00081115": sequence({ "00081140": sequence(image("1.1"), image("1.2")) }),
  "00700042": value(90),
  "00700041": value("Y"),
  "20500020": value("INVERSE"),
  "00283110": sequence({ "00281050": value(40), "00281051": value(400) }),
  "00700001": sequence(
    {
      "00081140": sequence(image("1.1")),
      "00700009": sequence(graphic("POLYLINE", [1, 1, 11, 1]), graphic("CIRCLE", [20.5, 20.5, 20.5, 25.5])),
    },
    {
      "00700008": sequence({
        "00700003": value("DISPLAY"),
        "00700010": value(0.1, 0.2),
        "00700006": value("theo dõi"),
      }),
    },
  ),
};

describe("a presentation state", () => {
  const state = presentationStateOf(STATE);
  if (!state) throw new Error("it is one");
  const on = (sopInstanceUid: string) => graphicsOn(state, { sopInstanceUid } as Frame);

  test("tells how its images were shown", () => {
    expect(state).toMatchObject({
      label: "Gan",
      window: { center: 40, width: 400 },
      rotation: 90,
      flipped: true,
      inverted: true,
    });
  });

  test("has graphics on the images that they name, from the first pixel's corner", () => {
    const [line, circle] = on("1.1");
    expect(line).toEqual({
      kind: "line",
      units: "image",
      points: [
        { column: 0.5, row: 0.5 },
        { column: 10.5, row: 0.5 },
      ],
      filled: false,
    });
    const radii =
      circle?.kind === "line" ? circle.points.map(({ column, row }) => Math.hypot(column - 20, row - 20)) : [];
    expect(Math.min(...radii)).toBeCloseTo(5);
    expect(Math.max(...radii)).toBeCloseTo(5);
  });

  test("has what names no image on all of its own, and on no other", () => {
    const words = { kind: "words", units: "display", at: { column: 0.1, row: 0.2 }, text: "theo dõi" };
    expect(on("1.2")).toEqual([words]);
    expect(on("1.1")).toHaveLength(3);
    expect(on("1.3")).toEqual([]);
  });

  test("is nothing else", () => {
    expect(presentationStateOf({ ...STATE, "00080016": value("1.2") })).toBeUndefined();
  });
});
