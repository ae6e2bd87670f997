// Which screen an address means, and going to another one. So few screens need no library.

import { useSyncExternalStore } from "react";
import { leave, useLeaving } from "../ui/leaving";

export type Route =
  | { readonly screen: "worklist" }
  | { readonly screen: "reviews" }
  | { readonly screen: "zones" }
  | { readonly screen: "upload" }
  | { readonly screen: "shared" }
  | { readonly screen: "launch" }
  | { readonly screen: "display" }
  /** No screen has this address. */
  | { readonly screen: "missing" }
  | { readonly screen: "reading"; readonly studyInstanceUid: string; readonly site: string | undefined };

const STUDY = /^\/study\/([0-9A-Za-z.]{1,64})$/;

const PLAIN = ["worklist", "reviews", "zones", "upload", "shared", "display", "launch"] as const;

export function parseRoute(pathname: string, search: string): Route {
  const screen = pathname === "/" ? "worklist" : PLAIN.find((one) => pathname === `/${one}`);
  if (screen) return { screen };
  const studyInstanceUid = STUDY.exec(pathname)?.[1];
  if (!studyInstanceUid) return { screen: "missing" };
  return { screen: "reading", studyInstanceUid, site: new URLSearchParams(search).get("site") ?? undefined };
}

export function addressOf(route: Route): string {
  if (route.screen !== "reading") return `/${route.screen}`;
  const query = route.site ? `?${new URLSearchParams({ site: route.site }).toString()}` : "";
  return `/study/${route.studyInstanceUid}${query}`;
}

const MOVED = "vienanh:moved";

/** Go to a screen, or ask first; `instead`: the present one is no place to come back to. */
export function goTo(route: Route, how: "next" | "instead" = "next"): void {
  leave(() => {
    if (how === "instead") history.replaceState(null, "", addressOf(route));
    else history.pushState(null, "", addressOf(route));
    window.dispatchEvent(new Event(MOVED));
  });
}

/** The browser's Back and Forward: its bar is there already, and comes back here while somebody is asked. */
function onBrowser(): void {
  const [from, to] = [shown, bar()];
  leave(() => {
    if (bar() !== to) history.pushState(null, "", to);
    window.dispatchEvent(new Event(MOVED));
  });
  if (useLeaving.getState().question) history.pushState(null, "", from);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", onBrowser);
  window.addEventListener(MOVED, listener);
  return () => {
    window.removeEventListener("popstate", onBrowser);
    window.removeEventListener(MOVED, listener);
  };
}

function bar(): string {
  return `${location.pathname}${location.search}`;
}

let shown = "";

/** The address as one string, which is what may change. */
function address(): string {
  shown = bar();
  return shown;
}

export function useRoute(): Route {
  const now = useSyncExternalStore(subscribe, address);
  const url = new URL(now, location.origin);
  return parseRoute(url.pathname, url.search);
}
