import { expect, test } from "vitest";
import { fromDrop, fromInput } from "./chosen";

function file(path: string): FileSystemFileEntry {
  const made = new File(["x"], path.split("/").at(-1) ?? "");
  return {
    isFile: true,
    isDirectory: false,
    fullPath: path,
    file: (done: FileCallback) => done(made),
  } as FileSystemFileEntry;
}

/** A folder whose reader gives two entries at a time, as browsers give a hundred. */
function folder(...inside: FileSystemEntry[]): FileSystemDirectoryEntry {
  const createReader = () => {
    const left = [...inside];
    return { readEntries: (done: FileSystemEntriesCallback) => done(left.splice(0, 2)) };
  };
  return { isFile: false, isDirectory: true, createReader } as unknown as FileSystemDirectoryEntry;
}

function drop(...entries: FileSystemEntry[]): DataTransfer {
  return { items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })), files: [] } as unknown as DataTransfer;
}

test("a dropped folder is walked to its last file", async () => {
  const ct = folder(file("/cd/ct/1"), file("/cd/ct/2"), file("/cd/ct/3"));

  const chosen = await fromDrop(drop(folder(ct, file("/cd/DICOMDIR")), file("/single")));

  expect(chosen.map((one) => one.path)).toEqual(["cd/ct/1", "cd/ct/2", "cd/ct/3", "cd/DICOMDIR", "single"]);
});

test("a chosen file has the path that the browser tells, or its name", () => {
  expect(fromInput([new File(["x"], "IM1")]).map((one) => one.path)).toEqual(["IM1"]);
});
