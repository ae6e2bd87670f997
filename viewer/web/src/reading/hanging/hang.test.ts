import { describe, expect, test } from "vitest";
import type { Series, Study } from "../../api/types";
import { presetsOf } from "../../engine/frames/presets";
import en from "../../i18n/en/reading.json";
import reading from "../../i18n/vi/reading.json";
import { alone, type Case, comparable, fitting, hang, hasWord, kindOf, regionOf } from "./hang";
import { layoutOf, PROTOCOLS } from "./protocol";

function aSeries(modality: string, description: string, instances = 30, bodyPart = ""): Series {
  return { seriesInstanceUID: description, modality, number: 1, description, bodyPart, instances };
}

function aStudy(modalities: readonly string[], bodyPart: string, studyDescription = "", uid = "1"): Study {
  return { studyInstanceUID: uid, modalities, bodyPart, studyDescription } as Study;
}

function aCase(bodyPart: string, series: readonly Series[], priors: readonly Study[] = []): Case {
  return { study: aStudy([...new Set(series.map((one) => one.modality))], bodyPart), series, priors };
}

const best = (one: Case, defaults = {}) => fitting(PROTOCOLS, one, defaults)[0]?.id;
const shown = (one: Case) => {
  const [protocol] = fitting(PROTOCOLS, one, {});
  return protocol ? hang(protocol, one).panes.map((pane) => pane.seriesInstanceUid) : [];
};

describe("the protocols that come along", () => {
  test("are ten at least, each with a name in both languages, and windows that there are", () => {
    const presets = new Set(presetsOf("CT").map((preset) => preset.name));

    expect(PROTOCOLS.length).toBeGreaterThanOrEqual(10);
    expect(new Set(PROTOCOLS.map((protocol) => protocol.id)).size).toBe(PROTOCOLS.length);
    for (const { id, panes } of PROTOCOLS) {
      expect(Object.keys(reading.hanging.name)).toContain(id);
      expect(Object.keys(en.hanging.name)).toContain(id);
      for (const { preset } of panes) expect(preset === undefined || presets.has(preset)).toBe(true);
    }
  });

  test("fill the panes of a layout, four at most", () => {
    for (const protocol of PROTOCOLS) expect(layoutOf(protocol)).toBe(protocol.panes.length);
  });

  test("fit a study by modality, body part, description, number of series and priors", () => {
    const prior = [aStudy(["CR"], "CHEST", "", "2")];

    expect(best(aCase("HEAD", [aSeries("CT", "a")]))).toBe("ctHead");
    expect(best(aCase("", [aSeries("CT", "CT lồng ngực")]))).toBe("ctChest");
    expect(best(aCase("ABDOMEN", [aSeries("CT", "a")]))).toBe("ctAbdomen");
    expect(
      best(
        aCase(
          "ABDOMEN",
          ["a", "b", "c", "d"].map((name) => aSeries("CT", name)),
        ),
      ),
    ).toBe("ctAbdomenPhases");
    expect(best(aCase("LSPINE", [aSeries("MR", "t1"), aSeries("MR", "t2")]))).toBe("mrSpine");
    expect(best(aCase("CHEST", [aSeries("CR", "PA", 1)]))).toBe("one");
    expect(best(aCase("CHEST", [aSeries("CR", "PA", 1)], prior))).toBe("plainFilmWithPrior");
    expect(best(aCase("WHOLEBODY", [aSeries("US", "a")]))).toBe("one");
  });

  test("always have one that fits, even when nothing is known yet", () => {
    expect(best({ study: undefined, series: [aSeries("OT", "")], priors: [] })).toBe("one");
  });
});

describe("the reader's default", () => {
  test("comes before every other that fits", () => {
    const one = aCase("CHEST", [aSeries("CT", "a")]);

    expect(best(one, { [kindOf(one)]: "one" })).toBe("one");
    expect(best(aCase("HEAD", [aSeries("CT", "a")]), { [kindOf(one)]: "one" })).toBe("ctHead");
  });

  test("is passed over where it does not fit", () => {
    const one = aCase("CHEST", [aSeries("CT", "a")]);

    expect(best(one, { [kindOf(one)]: "mammography" })).toBe("ctChest");
  });
});

describe("what stands where", () => {
  test("is found by the words of the description, with the window of the place", () => {
    const one = aCase("CHEST", [aSeries("CT", "Topogram", 2), aSeries("CT", "Mediastinum"), aSeries("CT", "Phổi 1.0")]);
    const [protocol] = fitting(PROTOCOLS, one, {});

    const hung = protocol && hang(protocol, one);

    expect(hung?.panes.map((pane) => [pane.seriesInstanceUid, pane.preset])).toEqual([
      ["Phổi 1.0", "lung"],
      ["Mediastinum", "mediastinum"],
    ]);
    expect(hung?.linked).toBe(true);
  });

  test("is the largest series twice when a scanner made only one", () => {
    expect(shown(aCase("CHEST", [aSeries("CT", "scout", 900), aSeries("CT", "5 mm", 60)]))).toEqual(["5 mm", "5 mm"]);
  });

  test("is the next series in order where no description helps", () => {
    const one = aCase(
      "BRAIN",
      ["s1", "s2 FLAIR", "s3", "s4"].map((name) => aSeries("MR", name)),
    );

    expect(shown(one)).toEqual(["s2 FLAIR", "s1", "s3", "s4"]);
  });

  test("is four views of the breasts, the right ones first", () => {
    const views = ["L MLO", "R MLO", "L CC", "R CC"].map((view) => aSeries("MG", view, 1));

    expect(shown(aCase("BREAST", views))).toEqual(["R CC", "L CC", "R MLO", "L MLO"]);
  });

  test("is the newest study of the same region and modality beside this one", () => {
    const priors = [
      aStudy(["US"], "CHEST", "", "us"),
      aStudy(["CT"], "KNEE", "", "knee"),
      aStudy(["CT"], "", "CT ổ bụng", "newest"),
      aStudy(["CT"], "ABDOMEN", "", "older"),
    ];
    const one = aCase("ABDOMEN", [aSeries("CT", "a")], priors);
    const withPrior = PROTOCOLS.find(({ id }) => id === "withPrior");

    expect(comparable(one)?.studyInstanceUID).toBe("newest");
    expect(fitting(PROTOCOLS, one, {}).map(({ id }) => id)).toContain("withPrior");
    expect(withPrior && hang(withPrior, one).panes.map((pane) => pane.prior?.studyInstanceUID)).toEqual([
      undefined,
      "newest",
    ]);
  });
});

test("where there is room for one picture the first of them stands there, in its window", () => {
  const one = aCase("CHEST", [aSeries("CT", "Trung that 5 mm"), aSeries("CT", "Phoi 1 mm")]);
  const [protocol] = fitting(PROTOCOLS, one, {});
  const hung = protocol && alone(hang(protocol, one));

  expect(hung?.layout).toBe(1);
  expect(hung?.panes.map((pane) => [pane.seriesInstanceUid, pane.preset])).toEqual([["Phoi 1 mm", "lung"]]);
});

describe("words", () => {
  test("are compared without accents and case, whole unless they end in a star", () => {
    expect(hasWord("Sọ Não không thuốc", ["so nao"])).toBe(true);
    expect(hasWord("ĐỘNG MẠCH", ["dong mach"])).toBe(true);
    expect(hasWord("AX_T2W_FSE", ["t2*"])).toBe(true);
    expect(hasWord("AX_T2W_FSE", ["t2"])).toBe(false);
    expect(hasWord("vùng cổ", ["vu"])).toBe(false);
  });

  test("tell the region only where the body part does not", () => {
    expect(regionOf(["L-SPINE"], ["CT bụng"])).toBe("spine");
    expect(regionOf([""], ["CT bụng"])).toBe("abdomen");
    expect(regionOf([], ["khác"])).toBe("");
  });
});
