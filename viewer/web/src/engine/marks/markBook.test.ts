import { describe, expect, it } from "vitest";
import { type BookMark, MARKS_MAX, MarkBook, POINTS_MAX, withinBounds } from "./markBook";

function aMark(uid: string, column = 1, text = ""): BookMark {
  const place = { seriesInstanceUID: "1.2", sopInstanceUID: "1.2.3", frameNumber: null };
  return { uid, kind: "arrow", ...place, points: [[column, 1]], figures: [], calibration: "none", text };
}

describe("the book of a study's marks", () => {
  it("keeps one mark under one UID", () => {
    const book = new MarkBook();
    book.put(aMark("a"));
    book.put(aMark("b"));
    book.put(aMark("a", 5));

    expect(book.list.get().map(({ uid, points }) => [uid, points[0]?.[0]])).toEqual([
      ["a", 5],
      ["b", 1],
    ]);
  });

  it("does not change for a mark that says the same, within what the renderer is exact to", () => {
    const book = new MarkBook();
    book.put(aMark("a"));
    const before = book.list.get();
    book.put(aMark("a", 1.0005));

    expect(book.list.get()).toBe(before);

    book.put(aMark("a", 1.0005, "other words"));
    expect(book.list.get()).not.toBe(before);
  });

  it("keeps what was drawn while the saved state was on its way", () => {
    const book = new MarkBook();
    book.put(aMark("mine"));
    book.open([aMark("saved")]);

    expect(book.list.get().map(({ uid }) => uid)).toEqual(["saved", "mine"]);
  });

  it("takes no more marks and points than the node does", () => {
    const book = new MarkBook();
    for (let number = 0; number <= MARKS_MAX; number += 1) book.put(aMark(String(number)));

    expect(book.list.get()).toHaveLength(MARKS_MAX);
    expect(withinBounds(Array.from({ length: 2 * POINTS_MAX + 1 }, (_, index) => index)).length).toBeLessThanOrEqual(
      POINTS_MAX,
    );
  });
});
