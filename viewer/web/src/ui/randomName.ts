/** A name that nothing else has. crypto.randomUUID does not exist over plain HTTP. */
export function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}
