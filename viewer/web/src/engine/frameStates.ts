// How far each frame of the room is: what the slice bar and the notices show.

import { createStore, type Store } from "./emitter";
import type { FrameProblemKind } from "./fetchFrame";

export type FrameState = "waiting" | "loading" | "ready" | FrameProblemKind;

/** Raised by one at each change; read `stateOf` for the states themselves. */
const revision: Store<number> = createStore(0);
const states = new Map<string, FrameState>();

export function stateOf(imageId: string): FrameState {
  return states.get(imageId) ?? "waiting";
}

export function isProblem(state: FrameState): state is FrameProblemKind {
  return state !== "waiting" && state !== "loading" && state !== "ready";
}

export function setState(imageId: string, state: FrameState): void {
  states.set(imageId, state);
  revision.set(revision.get() + 1);
}

export function forget(imageIds: readonly string[]): void {
  for (const imageId of imageIds) states.delete(imageId);
}

export const frameStates = { revision: revision.get, subscribe: revision.subscribe };
