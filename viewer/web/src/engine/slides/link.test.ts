import { describe, expect, test } from "vitest";
import { createStore } from "../emitter";
import { type Camera, toScreen } from "./camera";
import { beside, followed, link } from "./link";
import { aSlide, CAMERA } from "./slide.fixture";
import type { SlideView } from "./slideView";

const LEADER = CAMERA;
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

describe("a slide that is put beside another", () => {
  const shown = aSlide();
  const middle = { x: shown.width / 2, y: shown.height / 2 };

  test("is looked at from the same place when it is the same slide", () => {
    const leader = { ...LEADER, degrees: 90, mirrored: true };

    const placed = beside(leader, shown, shown);

    expect(placed).toMatchObject({ zoom: leader.zoom, degrees: 90, mirrored: true });
    expect(placed.center.x).toBeCloseTo(leader.center.x, 6);
    expect(placed.center.y).toBeCloseTo(leader.center.y, 6);
  });

  test("is magnified as much on the glass, and as far from its own middle", () => {
    const finer = aSlide({ width: 8880, height: 11868, mpp: [0.2495, 0.2495] });
    const leader = { ...LEADER, degrees: 180, center: { x: middle.x + 100, y: middle.y } };

    const placed = beside(leader, shown, finer);

    expect(placed.zoom).toBeCloseTo(leader.zoom / 2, 9);
    expect(placed.center.x).toBeCloseTo(finer.width / 2 + 200, 6);
  });
});

describe("two linked slides", () => {
  const view = (camera: Camera) => {
    const store = createStore(camera);
    const place = (placing: Partial<Camera>) => store.set({ ...store.get(), ...placing });
    return { camera: store, slide: aSlide(), place } as unknown as SlideView;
  };

  test("end at one power however small the steps to it were", () => {
    const [one, other] = [view(LEADER), view(LEADER)];
    link(one, other, undefined);

    for (let step = 1; step <= 1000; step += 1) one.place({ zoom: LEADER.zoom * (1 + step * 5e-7) });

    expect(other.camera.get().zoom / one.camera.get().zoom).toBeCloseTo(1, 5);
    expect(other.camera.get().zoom).toBeGreaterThan(LEADER.zoom * 1.0004);
  });

  test("start from one place when one of them comes to the other", () => {
    const [there, coming] = [view({ ...LEADER, zoom: 3 }), view(LEADER)];

    link(there, coming, coming);

    expect(coming.camera.get()).toMatchObject({ zoom: 3, center: LEADER.center });
    expect(there.camera.get().zoom).toBe(3);
  });
});
