// Drawing follows the size of an element, as long as it has one: hidden or collapsed it keeps what it had.

/**
 * Call `act` when an element's size has changed and it has an area. Returns how to stop.
 *
 * A canvas of no width cannot be read ("The source width is 0") or drawn from, and the renderer without a GPU multiplies
 * its zoom by how much wider the canvas became: by nothing, and then by infinity when it is shown again.
 */
export function onSized(element: Element, act: () => void): () => void {
  const observer = new ResizeObserver(() => {
    if (element.clientWidth > 0 && element.clientHeight > 0) act();
  });
  observer.observe(element);
  return () => observer.disconnect();
}
