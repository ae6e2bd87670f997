// English, in one chunk of its own: every file of words that there is.

export interface Words {
  readonly [key: string]: string | Words;
}

const files = import.meta.glob<Words>("./en/*.json", { eager: true, import: "default" });

/** By namespace, which is the file's name. */
export const en: Readonly<Record<string, Words>> = Object.fromEntries(
  Object.entries(files).map(([path, words]) => [path.slice("./en/".length, -".json".length), words]),
);
