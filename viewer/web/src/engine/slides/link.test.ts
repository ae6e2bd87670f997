import { describe, expect, test } from "vitest";
import { type Camera, toScreen } from "./camera";
import { followed } from "./link";

const LEADER: Camera = {
  center: { x: 1000, y: 500 },
  zoom: 0.5,
  degrees: 0,
  mirrored: false,
  width: 800,
  height: 600,
};
const FOLLOWER: Camera = { ...LEADER, center: { x: 4000, y: 3000 }, zoom: 0.25, degrees: 180, width: 400 };

describe("a slide that follows another", () => {
  test("stays where it is while the other does", () => {
    expect(followed(LEADER, LEADER, FOLLOWER, 1)).toEqual(FOLLOWER);
  });

  test.each([0, 90, 180, 270])("moves the way that the eye saw, turned by %d itself", (degrees) => {
    const follower = { ...FOLLOWER, zoom: LEADER.zoom, degrees };

    const after = followed(LEADER, { ...LEADER, center: { x: 1100, y: 540 } }, follower, 1);

    // What was in the middle is now as far to the left and above as with the leader.
    const place = toScreen(after, follower.center);
    expect(place.left - after.width / 2).toBeCloseTo(-50, 6);
    expect(place.top - after.height / 2).toBeCloseTo(-20, 6);
  });

  test("moves as far on the glass, whatever its pixels are", () => {
    const follower = { ...FOLLOWER, degrees: 0 };

    const after = followed(LEADER, { ...LEADER, center: { x: 1100, y: 500 } }, follower, 2);

    expect(after.center.x - follower.center.x).toBeCloseTo(200, 9);
  });

  test("goes nearer by the same factor, and is turned by as much", () => {
    const after = followed(LEADER, { ...LEADER, zoom: 2, degrees: 90 }, FOLLOWER, 1);

    expect(after).toMatchObject({ zoom: 1, degrees: 270, center: FOLLOWER.center });
  });

  test("is mirrored with the other, and turned as the eye saw it when only one of them is", () => {
    expect(followed(LEADER, { ...LEADER, mirrored: true }, FOLLOWER, 1).mirrored).toBe(true);
    const mirrored = { ...FOLLOWER, mirrored: true };
    expect(followed(LEADER, { ...LEADER, degrees: 90 }, mirrored, 1).degrees).toBe(90);
  });

  test("leads back to where both were", () => {
    const there = { ...LEADER, center: { x: 1234, y: 99 }, zoom: 3, degrees: 90 };

    const back = followed(there, LEADER, followed(LEADER, there, FOLLOWER, 0.5), 0.5);

    expect(back.zoom).toBeCloseTo(FOLLOWER.zoom, 9);
    expect(back.degrees).toBeCloseTo(FOLLOWER.degrees, 9);
  });
});
