// Drafts in the browser's own store, for while the node cannot be reached: sealed (AES-GCM), under names that tell
// nothing. What lies there open is how many there are, how long, and since when.

import type { DraftKeys } from "../../api/drafts";

const DATABASE = "vienanh";
const STORE = "drafts";
const AGE = "age";
/** The store takes no more drafts. */
const SEALED_MAX = 64;
/** Characters of one draft; the node takes no more either. */
export const CHARACTERS_MAX = 1_048_576;
/** Nobody came back for what is older. */
const LIFE_MS = 30 * 86_400_000;
const IV_BYTES = 12;

interface Row {
  readonly name: string;
  readonly window: string;
  readonly at: number;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly sealed: ArrayBuffer;
}

/** A draft that a window left in this browser. */
export interface Left {
  readonly window: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly content: string;
}

/** `of`: what the draft is about; `window`: which window keeps it. Tells whether it is safe on the disk. */
export async function seal(
  keys: DraftKeys,
  of: string,
  { window, at, content }: Left,
  idb: IDBFactory | undefined = globalThis.indexedDB,
): Promise<boolean> {
  if (!idb || content.length > CHARACTERS_MAX) return false;
  try {
    const name = await nameOf(keys, of);
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const how = { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(name) };
    const sealed = await crypto.subtle.encrypt(how, keys.seal, new TextEncoder().encode(content));
    return await inStore(idb, "readwrite", async (store) => {
      await sweep(store, at - LIFE_MS);
      const isNew = (await settled(store.count([name, window]))) === 0;
      if (isNew && (await settled(store.count())) >= SEALED_MAX) return false;
      await settled(store.put({ name, window, at, iv, sealed } satisfies Row));
      return true;
    });
  } catch {
    return false; // the disk is full, or the browser keeps nothing
  }
}

/** What windows left about something, the oldest first. What cannot be opened is another person's, or broken. */
export async function unseal(
  keys: DraftKeys,
  of: string,
  idb: IDBFactory | undefined = globalThis.indexedDB,
): Promise<readonly Left[]> {
  if (!idb) return [];
  try {
    const name = await nameOf(keys, of);
    const rows = await inStore(idb, "readonly", (store) => settled<Row[]>(store.getAll(everyWindow(name))));
    const opened = await Promise.all(rows.map((row) => open(keys, row)));
    return opened.filter((one) => one !== undefined).sort((a, b) => a.at - b.at);
  } catch {
    return [];
  }
}

/** What was sealed about something by these windows need not be kept any more. */
export async function unlink(
  keys: DraftKeys,
  of: string,
  windows: readonly string[],
  idb: IDBFactory | undefined = globalThis.indexedDB,
): Promise<void> {
  if (!idb) return;
  try {
    const name = await nameOf(keys, of);
    await inStore(idb, "readwrite", async (store) => {
      for (const window of windows) await settled(store.delete([name, window]));
    });
  } catch {
    // It is found again at the next opening, and is the same as what is saved then.
  }
}

async function nameOf(keys: DraftKeys, of: string): Promise<string> {
  const mac = await crypto.subtle.sign("HMAC", keys.name, new TextEncoder().encode(of));
  return Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Arrays come after every text in the order of keys (Indexed Database 3.0, 2.4). */
function everyWindow(name: string): IDBKeyRange {
  return IDBKeyRange.bound([name], [name, []]);
}

async function open(keys: DraftKeys, row: Row): Promise<Left | undefined> {
  const how = { name: "AES-GCM", iv: row.iv, additionalData: new TextEncoder().encode(row.name) };
  try {
    const bytes = await crypto.subtle.decrypt(how, keys.seal, row.sealed);
    return { window: row.window, at: row.at, content: new TextDecoder().decode(bytes) };
  } catch {
    return undefined;
  }
}

async function sweep(store: IDBObjectStore, before: number): Promise<void> {
  const old = await settled(store.index(AGE).getAllKeys(IDBKeyRange.upperBound(before)));
  for (const key of old) await settled(store.delete(key));
}

async function inStore<T>(
  idb: IDBFactory,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => Promise<T>,
): Promise<T> {
  const asked = idb.open(DATABASE, 1);
  asked.onupgradeneeded = () =>
    asked.result.createObjectStore(STORE, { keyPath: ["name", "window"] }).createIndex(AGE, "at");
  const database = await settled(asked);
  try {
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    const [result] = await Promise.all([work(transaction.objectStore(STORE)), done]);
    return result;
  } finally {
    database.close();
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
