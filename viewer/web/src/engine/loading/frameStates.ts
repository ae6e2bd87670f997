// How far each frame of the room is: what the slice bar, the badges and the notices show.

import { createStore, type Store } from "../emitter";
import type { FrameProblemKind } from "./problems";
import type { Tier } from "./tiers";

export type FrameState = "waiting" | "loading" | "ready" | FrameProblemKind;

/** Raised by one at each change; read `stateOf` and `tierOf` for what they are. */
const revision: Store<number> = createStore(0);
const states = new Map<string, FrameState>();
const tiers = new Map<string, Tier>();

export function stateOf(imageId: string): FrameState {
  return states.get(imageId) ?? "waiting";
}

/** How much of a frame can be shown; undefined before anything can. */
export function tierOf(imageId: string): Tier | undefined {
  return tiers.get(imageId);
}

export function isProblem(state: FrameState): state is FrameProblemKind {
  return state !== "waiting" && state !== "loading" && state !== "ready";
}

export function setState(imageId: string, state: FrameState): void {
  states.set(imageId, state);
  changed();
}

/** A frame can be shown as far as a tier. */
export function setReady(imageId: string, tier: Tier): void {
  states.set(imageId, "ready");
  tiers.set(imageId, tier);
  changed();
}

export function forget(imageIds: readonly string[]): void {
  for (const imageId of imageIds) {
    states.delete(imageId);
    tiers.delete(imageId);
  }
}

function changed(): void {
  revision.set(revision.get() + 1);
}

export const frameStates = { revision: revision.get, subscribe: revision.subscribe };
