// What is not saved, as changes to what is: so that a draft can be laid over a state that somebody else saved meanwhile.
// Pure.

interface Named {
  readonly uid: string;
}

export interface Changes<One extends Named> {
  /** New ones, and those in the place of the one of their UID. */
  readonly put: readonly One[];
  readonly removed: readonly string[];
}

export type IsSame<One> = (one: One, other: One) => boolean;

export function changesOf<One extends Named>(
  saved: readonly One[],
  now: readonly One[],
  isSame: IsSame<One>,
): Changes<One> {
  const before = new Map(saved.map((one) => [one.uid, one]));
  const here = new Set(now.map(({ uid }) => uid));
  return {
    put: now.filter((one) => {
      const known = before.get(one.uid);
      return !known || !isSame(known, one);
    }),
    removed: saved.flatMap(({ uid }) => (here.has(uid) ? [] : [uid])),
  };
}

/** The changes of two windows; where both changed one thing, ours. */
export function together<One extends Named>(ours: Changes<One>, theirs: Changes<One>): Changes<One> {
  const touched = new Set([...ours.put.map(({ uid }) => uid), ...ours.removed]);
  return {
    put: [...theirs.put.filter(({ uid }) => !touched.has(uid)), ...ours.put],
    removed: [...theirs.removed.filter((uid) => !touched.has(uid)), ...ours.removed],
  };
}

/** Whether both changed one thing, each otherwise: nobody but a person knows which counts. */
export function areApart<One extends Named>(ours: Changes<One>, theirs: Changes<One>, isSame: IsSame<One>): boolean {
  const [here, there] = [touchedBy(ours), touchedBy(theirs)];
  return [...here].some(([uid, one]) => {
    if (!there.has(uid)) return false;
    const other = there.get(uid);
    return one && other ? !isSame(one, other) : one !== other;
  });
}

/** What was put, by name; undefined for what was removed. */
function touchedBy<One extends Named>({ put, removed }: Changes<One>): ReadonlyMap<string, One | undefined> {
  const gone = removed.map((uid) => [uid, undefined] as const);
  return new Map<string, One | undefined>([...put.map((one) => [one.uid, one] as const), ...gone]);
}

/** A saved state with changes laid over it; what says the same as before stays as it was saved. */
export function laidOver<One extends Named>(
  saved: readonly One[],
  { put, removed }: Changes<One>,
  isSame: IsSame<One>,
): readonly One[] {
  const changed = new Map(put.map((one) => [one.uid, one]));
  const gone = new Set(removed);
  const known = new Set(saved.map(({ uid }) => uid));
  const stay = saved.filter(({ uid }) => !gone.has(uid));
  const own = stay.map((one) => {
    const other = changed.get(one.uid);
    return other && !isSame(one, other) ? other : one;
  });
  return [...own, ...put.filter(({ uid }) => !known.has(uid))];
}

/** As a draft is kept; empty when nothing was changed. */
export function written<One extends Named>(changes: Changes<One>, also: Readonly<Record<string, string>> = {}): string {
  if (changes.put.length + changes.removed.length + Object.keys(also).length === 0) return "";
  return JSON.stringify({ ...changes, ...also });
}

/** What a draft says; undefined for what this room did not write. */
export function readChanges<One extends Named>(
  content: string,
): (Changes<One> & { readonly purpose?: string }) | undefined {
  if (content === "") return undefined;
  try {
    const { put, removed, purpose } = JSON.parse(content) as Partial<Changes<One>> & { purpose?: unknown };
    if (!(Array.isArray(put) && Array.isArray(removed))) return undefined;
    return typeof purpose === "string" ? { put, removed, purpose } : { put, removed };
  } catch {
    return undefined;
  }
}
