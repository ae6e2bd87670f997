// Two slides side by side that move as one: what is done to one is done to the other, from where each of them is.

import { type Camera, turned, unturned } from "./camera";
import { uprightDegrees } from "./geometry";
import type { Slide } from "./slide";
import type { SlideView } from "./slideView";

/**
 * Where the follower looks from after the leader went from `before` to `after`.
 *
 * It moves by the same way on the glass in the direction that the eye saw, magnifies by the same factor, and is turned
 * and mirrored as the leader was; `mppRatio` is the leader's microns per pixel over the follower's. Pure.
 */
export function followed(before: Camera, after: Camera, follower: Camera, mppRatio: number): Camera {
  const moved = { x: after.center.x - before.center.x, y: after.center.y - before.center.y };
  const seen = turned(moved, after);
  const isSameSide = before.mirrored === follower.mirrored;
  const turn = (after.degrees - before.degrees) * (isSameSide ? 1 : -1);
  const degrees = follower.degrees + turn;
  const mirrored = follower.mirrored !== (before.mirrored !== after.mirrored);
  const back = unturned(seen, { degrees, mirrored });
  return {
    ...follower,
    center: { x: follower.center.x + back.x * mppRatio, y: follower.center.y + back.y * mppRatio },
    zoom: follower.zoom * (after.zoom / before.zoom),
    degrees,
    mirrored,
  };
}

/**
 * Where a slide that is put beside another is looked at from: from as far, turned as much from upright, and as far on
 * the glass from its middle. Pure.
 */
export function beside(leader: Camera, shown: Slide, slide: Slide): Camera {
  const ratio = mppOf(shown) / mppOf(slide);
  const unmoved = (of: Slide, zoom: number): Camera => ({
    ...leader,
    center: { x: of.width / 2, y: of.height / 2 },
    zoom,
    degrees: uprightDegrees(of.orientation),
    mirrored: false,
  });
  return followed(unmoved(shown, leader.zoom), leader, unmoved(slide, leader.zoom / ratio), ratio);
}

const CLOSE = 1e-6;

function isSame(one: Camera, other: Camera): boolean {
  return (
    Math.abs(one.center.x - other.center.x) < CLOSE * 1000 &&
    Math.abs(one.center.y - other.center.y) < CLOSE * 1000 &&
    Math.abs(one.zoom / other.zoom - 1) < CLOSE &&
    Math.abs(one.degrees - other.degrees) < CLOSE &&
    one.mirrored === other.mirrored
  );
}

/** Make two views move as one until the returned function is called; the one that joins is put beside the other. */
export function link(one: SlideView, other: SlideView, joining: SlideView | undefined): () => void {
  const seen = new Map([one, other].map((view) => [view, view.camera.get()]));
  const put = (view: SlideView, target: Camera) => {
    seen.set(view, target);
    view.place(target);
  };
  const hear = (view: SlideView, peer: SlideView) => () => {
    const after = view.camera.get();
    const before = seen.get(view) ?? after;
    // What a view was told to do, it tells in its turn; and steps too small to follow add up until they are not.
    if (isSame(before, after)) return;
    seen.set(view, after);
    const ratio = mppOf(view.slide) / mppOf(peer.slide);
    put(peer, followed(before, after, seen.get(peer) ?? peer.camera.get(), ratio));
  };
  const offs = [one.camera.subscribe(hear(one, other)), other.camera.subscribe(hear(other, one))];
  if (joining) {
    const leader = joining === one ? other : one;
    put(joining, beside(leader.camera.get(), leader.slide, joining.slide));
  }
  return () => {
    for (const off of offs) off();
  };
}

function mppOf(slide: Slide): number {
  return slide.mpp?.[0] ?? 1;
}
