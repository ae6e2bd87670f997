// What a person dropped or chose: files with their paths, out of folders too.

export interface Chosen {
  readonly file: File;
  /** With the folders in which it was, as the person knows it. */
  readonly path: string;
}

/** A drop of more is cut, and says so. */
export const FILES_MAX = 20_000;

export function fromInput(files: Iterable<File>): readonly Chosen[] {
  return [...files].slice(0, FILES_MAX).map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** Everything in a drop; folders are walked. Entries must be taken before the event is over. */
export async function fromDrop(transfer: DataTransfer): Promise<readonly Chosen[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (entries.every((entry) => entry === null)) return fromInput(transfer.files);
  const found: Chosen[] = [];
  for (const entry of entries) if (entry) await walk(entry, found);
  return found;
}

async function walk(entry: FileSystemEntry, found: Chosen[]): Promise<void> {
  if (found.length >= FILES_MAX) return;
  if (isFile(entry)) {
    const file = await new Promise<File>((done, failed) => entry.file(done, failed)).catch(() => undefined);
    if (file) found.push({ file, path: entry.fullPath.replace(/^\//, "") });
    return;
  }
  if (isFolder(entry)) for (const one of await listed(entry.createReader())) await walk(one, found);
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

/** A reader gives a hundred at a time, and nothing at the end. */
async function listed(reader: FileSystemDirectoryReader): Promise<readonly FileSystemEntry[]> {
  const found: FileSystemEntry[] = [];
  while (found.length < FILES_MAX) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed)).catch(
      () => [],
    );
    if (some.length === 0) break;
    found.push(...some);
  }
  return found;
}
