// OpenSeadragon as this room can have it: without a style of its own, which the Content-Security-Policy forbids, and
// without a voice of its own, as tiles that were flown past are failures to it.

import OpenSeadragon from "openseadragon";

const nothing = () => undefined;
const MARK = "data-openseadragon-mobile-css";

Object.assign(OpenSeadragon, {
  console: { log: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, assert: nothing },
});

/** Stands where OpenSeadragon would put its style, which it does not when it finds one; of no kind that browsers heed. */
export function keepStyleAway(): void {
  if (document.querySelector(`style[${MARK}]`)) return;
  const style = document.createElementNS("urn:vienanh:nothing", "style");
  style.setAttribute(MARK, "");
  document.head.append(style);
}

export default OpenSeadragon;
