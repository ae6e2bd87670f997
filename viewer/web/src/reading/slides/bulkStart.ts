// Which groups of bulk annotations are drawn before anybody chose. Pure.

interface Counted {
  readonly id: string;
  readonly count: number;
}

/** More groups at once would be a carpet. */
const GROUPS_MAX = 8;
/** More shapes at once hide the tissue, and a weak computer takes its time for them. */
const SHAPES_MAX = 20_000;

/** In their order, as long as there are not too many; a small group after a large one is among them. */
export function onAtFirst(groups: readonly Counted[]): ReadonlySet<string> {
  const on = new Set<string>();
  let shapes = 0;
  for (const { id, count } of groups) {
    if (on.size === GROUPS_MAX || shapes + count > SHAPES_MAX) continue;
    on.add(id);
    shapes += count;
  }
  return on;
}
