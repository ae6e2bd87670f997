// Two slides side by side that move as one: what is done to one is done to the other, from where each of them is.

import type { Camera } from "./camera";
import type { Placing, SlideView } from "./slideView";

/**
 * Where the follower looks from after the leader went from `before` to `after`.
 *
 * It moves by the same way on the glass in the direction that the eye saw, magnifies by the same factor, and is turned
 * and mirrored as the leader was; `mppRatio` is the leader's microns per pixel over the follower's. Pure.
 */
export function followed(before: Camera, after: Camera, follower: Camera, mppRatio: number): Camera {
  const moved = { x: after.center.x - before.center.x, y: after.center.y - before.center.y };
  const seen = turned(moved, after.degrees, after.mirrored ? -1 : 1);
  const isSameSide = before.mirrored === follower.mirrored;
  const turn = (after.degrees - before.degrees) * (isSameSide ? 1 : -1);
  const degrees = follower.degrees + turn;
  const mirrored = follower.mirrored !== (before.mirrored !== after.mirrored);
  const back = unturned(seen, degrees, mirrored ? -1 : 1);
  return {
    ...follower,
    center: { x: follower.center.x + back.x * mppRatio, y: follower.center.y + back.y * mppRatio },
    zoom: follower.zoom * (after.zoom / before.zoom),
    degrees,
    mirrored,
  };
}

interface Way {
  readonly x: number;
  readonly y: number;
}

/** A way on the slide as the eye sees it, in slide pixels; `side` -1 for a mirrored one. */
function turned({ x, y }: Way, degrees: number, side: number): Way {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return { x: side * (x * cos - y * sin), y: x * sin + y * cos };
}

function unturned(way: Way, degrees: number, side: number): Way {
  return turned({ x: side * way.x, y: way.y }, -degrees, 1);
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

/** Make two views move as one until the returned function is called. */
export function link(one: SlideView, other: SlideView): () => void {
  const seen = new Map([one, other].map((view) => [view, view.camera.get()]));
  const hear = (view: SlideView, peer: SlideView) => () => {
    const after = view.camera.get();
    const before = seen.get(view) ?? after;
    seen.set(view, after);
    // What a view was told to do, it tells in its turn.
    if (isSame(before, after)) return;
    const target = followed(before, after, seen.get(peer) ?? peer.camera.get(), mppOf(view) / mppOf(peer));
    seen.set(peer, target);
    const { center, zoom, degrees, mirrored }: Placing = target;
    peer.place({ center, zoom, degrees, mirrored });
  };
  const offs = [one.camera.subscribe(hear(one, other)), other.camera.subscribe(hear(other, one))];
  return () => {
    for (const off of offs) off();
  };
}

function mppOf(view: SlideView): number {
  return view.slide.mpp?.[0] ?? 1;
}
