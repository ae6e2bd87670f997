import { describe, expect, test } from "vitest";
import { EXPLANATION_MAX, ownWindows, unlike, WINDOWS_MAX, windowAfter, windowsIn } from "./imageWindows";

/** What is told of windows, as DICOM JSON. */
function told(centers: readonly unknown[], widths: readonly unknown[], explanations: readonly unknown[] = []) {
  return { "00281050": { Value: centers }, "00281051": { Value: widths }, "00281055": { Value: explanations } };
}
const alike = (centers: readonly number[]) =>
  told(
    centers,
    centers.map(() => 100),
  );

describe("the windows of an image", () => {
  test("are pairs by their place, each with its explanation", () => {
    expect(windowsIn(told([40, 600], ["80", "2800"], ["NAO", "XUONG"]))).toEqual([
      { window: { center: 40, width: 80 }, explanation: "NAO" },
      { window: { center: 600, width: 2800 }, explanation: "XUONG" },
    ]);
  });

  test("stay in their places where one is not told", () => {
    const [window] = windowsIn(told([null, 600], [80, 2800], ["NAO", "XUONG"]));

    expect(window).toEqual({ window: { center: 600, width: 2800 }, explanation: "XUONG" });
    expect(windowsIn(told([40, 600], [80], [null]))).toEqual([{ window: { center: 40, width: 80 }, explanation: "" }]);
    expect(windowsIn({})).toEqual([]);
  });

  test("are none where they are too narrow for their function, which is one for all", () => {
    expect(windowsIn(told([40, 600], [0.5, 2800]))[0]).toBeUndefined();
    const exact = { ...told([40, 600], [0.5, 2800]), "00281056": { Value: ["LINEAR_EXACT"] } };
    expect(windowsIn(exact).map((one) => one?.window.function)).toEqual(["LINEAR_EXACT", "LINEAR_EXACT"]);
  });

  test("are no more than a menu has room for", () => {
    const centers = Array.from({ length: 1000 }, (_, at) => at);

    expect(WINDOWS_MAX).toBe(8);
    expect(windowsIn(alike(centers)).map((one) => one?.window.center)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("are offered once each, by the name that came first", () => {
    const same = windowsIn(told([40, 40, 600], [80, 80, 2800], ["WINDOW1", "WINDOW2"]));

    expect(unlike(same).map(({ explanation }) => explanation)).toEqual(["WINDOW1", ""]);
  });
});

describe("an explanation", () => {
  const read = (explanation: string) => windowsIn(told([40], [80], [explanation]))[0]?.explanation;

  test("is one line of so many characters at most", () => {
    expect(EXPLANATION_MAX).toBe(24);
    expect(read("x".repeat(24))).toBe("x".repeat(24));
    expect(read("Đ".repeat(1000))).toBe(`${"Đ".repeat(23)}…`);
    expect(read("  soft\r\n tissue ")).toBe("soft tissue");
  });

  test("hides nothing and does not turn the line round", () => {
    expect(read("bone\u202egnul\u0000\u200b")).toBe("bone gnul");
  });
});

describe("going through them", () => {
  const windows = unlike(windowsIn(told([40, 600, -600], [80, 2800, 1500])));
  const centers = (byLookup: boolean) => {
    const own = ownWindows(windows, windows[0]?.window, byLookup);
    const seen: (number | "own")[] = [];
    let shown: (typeof windows)[number] | undefined;
    for (let press = 0; press < 5; press += 1) {
      shown = windowAfter(own, shown?.window, shown === undefined);
      seen.push(shown?.window.center ?? "own");
    }
    return seen;
  };

  test("begins with the second and comes back to what the image is opened with", () => {
    expect(centers(false)).toEqual([600, -600, "own", 600, -600]);
  });

  test("begins with the first where the image is opened by its table", () => {
    expect(centers(true)).toEqual([40, 600, -600, "own", 40]);
  });

  test("goes on from the window that the image is opened with when somebody chose that", () => {
    const own = ownWindows(windows, windows[0]?.window, false);

    expect(windowAfter(own, { center: 40, width: 80 }, false)?.window.center).toBe(600);
    const byTable = ownWindows(windows, windows[0]?.window, true);
    expect(windowAfter(byTable, { center: 40, width: 80 }, false)?.window.center).toBe(600);
  });

  test("leads from a window that is none of them to what the image is opened with", () => {
    const own = ownWindows(windows, windows[0]?.window, false);

    expect(windowAfter(own, { center: 1, width: 2 }, false)).toBeUndefined();
    expect(windowAfter(ownWindows([], undefined, false), undefined, true)).toBeUndefined();
  });
});
